//! Plans that change the installation.

use anyhow::Result;
use serde::{Serialize, Serializer};

use super::execute::makes_state;
use super::{App, Execution, PlanOptions};
use crate::exec::interrupt;
use crate::plan::Plan;
use crate::plan::{End, Outcome};
use crate::target::Target;

/// How a plan that changes the installation ended.
#[derive(Serialize)]
pub(crate) struct Changed {
    /// Whether any step did something.
    pub(crate) changed: bool,
    steps: Ends,
}

impl Changed {
    /// What came of a plan.
    pub(crate) fn of(outcome: &Outcome) -> Changed {
        Changed {
            changed: outcome.changed(),
            steps: Ends::of(outcome),
        }
    }
}

/// The steps of a plan in their order, and how each ended.
#[derive(Default)]
pub(crate) struct Ends(Vec<(String, &'static str)>);

impl Ends {
    /// Those of a plan.
    pub(crate) fn of(outcome: &Outcome) -> Ends {
        // A plan with a failure has an error instead of an outcome.
        let end = |end: &End| if *end == End::Done { "done" } else { "skipped" };
        let ends = outcome.ends.iter();
        Ends(ends.map(|(name, how)| (name.clone(), end(how))).collect())
    }
}

impl Serialize for Ends {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, end)| (name, end)))
    }
}

impl App {
    /// Runs a plan that changes the installation, alone. `None` where it was printed
    /// only.
    pub(crate) fn change(
        &self,
        command: &str,
        how: &PlanOptions,
        build: impl FnOnce(&dyn Target) -> Result<Plan>,
    ) -> Result<Option<(Box<dyn Target>, Changed)>> {
        // The first servers that are started begin an installation.
        let makes = makes_state(command) || command == "start";
        let _alone = self.lock_alone(command, makes, how)?;
        let target = self.target()?;
        let waiting = || {
            self.ui
                .note("another install builds the same servers: waiting for it")
        };
        let _watch = interrupt::watch();
        let _shared = if how.dry_run || !makes_state(command) {
            None
        } else {
            target.lock_build(how.from.is_some(), &waiting)?
        };
        let plan = build(target.as_ref())?;
        Ok(match self.execute(target.as_ref(), &plan, how)? {
            Execution::Printed => None,
            Execution::Finished(outcome) => Some((target, Changed::of(&outcome))),
        })
    }
}
