//! The wait itself: look, say what is waited for and what goes wrong, look again.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::Condition;
use super::explain::explain;
use super::observe::{Observation, concerns, observe};
use super::problems::{PodProblem, ProblemId, Transient, problems};
use crate::cluster::kubectl::Kubectl;
use crate::exec::interrupt;
use crate::fail::{Fail, broken, not_so};
use crate::plan::StepEvent;
use crate::text::printable;

/// How often a namespace is looked at.
const POLL: Duration = Duration::from_millis(700);

/// How long a problem may last that can pass by itself: a registry with hiccups, an API
/// server that restarts.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long it may take to make a node or a volume.
const LONG_PATIENCE: Duration = Duration::from_secs(180);

impl Transient {
    /// How long a problem may last.
    fn patience(self) -> Duration {
        match self {
            Transient::No => Duration::ZERO,
            Transient::Briefly => PATIENCE,
            Transient::Long => LONG_PATIENCE,
            Transient::ByDesign => Duration::MAX,
        }
    }
}

/// One wait for conditions of a namespace.
pub(crate) struct ConditionWait<'a> {
    pub(crate) kubectl: &'a Kubectl,
    pub(crate) namespace: &'a str,
    pub(crate) conditions: &'a [Condition],
    /// How long it may take.
    pub(crate) within: Duration,
    pub(crate) report: &'a dyn Fn(StepEvent<'_>),
}

/// What earlier looks have seen.
#[derive(Default)]
struct History {
    /// Since when each problem is there.
    since: HashMap<ProblemId, Instant>,
    /// The problems that were told.
    told: HashSet<ProblemId>,
    /// Since when the API server does not answer.
    silent_since: Option<Instant>,
    /// The conditions that did not hold.
    unmet: String,
}

impl ConditionWait<'_> {
    /// Waits until every condition holds.
    ///
    /// # Errors
    /// Exit status 1 where they do not hold in time, or where a pod or Job fails in a
    /// way that does not pass; 2 where the cluster does not answer.
    pub(crate) fn until_all_hold(&self) -> Result<()> {
        let started = Instant::now();
        let mut seen = History::default();
        loop {
            let looked = observe(self.kubectl, self.namespace, self.conditions);
            let silent = match looked {
                Ok(look) if look.unmet.is_empty() => return Ok(()),
                Ok(look) => {
                    self.take_in(look, &mut seen)?;
                    None
                }
                Err(error) => Some(error),
            };
            if interrupt::interrupted() {
                let what = format!("interrupted while waiting for {}", self.namespace);
                return Err(broken(what).into());
            }
            if let Some(error) = silent {
                self.bear_silence(error, &mut seen)?;
            }
            if started.elapsed() > self.within {
                return Err(self.too_late(&seen).into());
            }
            std::thread::sleep(POLL);
        }
    }

    /// Says what is waited for and each new problem.
    fn take_in(&self, look: Observation<'_>, seen: &mut History) -> Result<()> {
        let unmet: Vec<String> = look.unmet.iter().map(ToString::to_string).collect();
        seen.unmet = unmet.join(", ");
        seen.silent_since = None;
        self.waiting(&seen.unmet);
        let mut objects = look.objects;
        objects.retain(|object| concerns(object, self.namespace, self.conditions));
        let problems = problems(&objects);
        // A problem that comes back is given its time again, and is not told again.
        seen.since
            .retain(|id, _| problems.iter().any(|problem| problem.id == *id));
        for problem in problems {
            self.bear(&problem, seen)?;
        }
        Ok(())
    }

    /// Fails where a problem has lasted too long, and tells it where it is new.
    fn bear(&self, problem: &PodProblem, seen: &mut History) -> Result<()> {
        let began = *seen
            .since
            .entry(problem.id.clone())
            .or_insert_with(Instant::now);
        if problem.is_creation() && began.elapsed() < PATIENCE {
            return Ok(());
        }
        let over = began.elapsed() >= problem.transient.patience();
        if !seen.told.insert(problem.id.clone()) && !over {
            return Ok(());
        }
        let fail = explain(self.kubectl, self.namespace, problem);
        if over {
            return Err(fail.into());
        }
        let mut lines = vec![format!("{}: {}", self.namespace, fail.what)];
        let tail = fail.tail.iter();
        lines.extend(tail.map(|line| format!("  | {}", printable(line))));
        lines.extend(fail.hints.iter().map(|hint| format!("  hint: {hint}")));
        (self.report)(StepEvent::Trouble(&lines));
        Ok(())
    }

    /// An API server that restarts is silent for a while; one that stays silent is not
    /// waited for.
    fn bear_silence(&self, error: anyhow::Error, seen: &mut History) -> Result<()> {
        let began = *seen.silent_since.get_or_insert_with(Instant::now);
        if began.elapsed() >= PATIENCE.min(self.within) {
            return Err(error);
        }
        self.waiting("the API server does not answer");
        Ok(())
    }

    fn waiting(&self, what: &str) {
        (self.report)(StepEvent::Waiting(&format!("{}: {what}", self.namespace)));
    }

    fn too_late(&self, seen: &History) -> Fail {
        let namespace = self.namespace;
        not_so(format!(
            "not ready in {namespace} after {} seconds: {}",
            self.within.as_secs(),
            seen.unmet
        ))
        .hint("see what is wrong: cargo xtask doctor")
        .hint(format!(
            "look yourself: kubectl --namespace {namespace} get pods,events"
        ))
    }
}
