//! Which steps of a running plan can begin, and what has become of the others.

use anyhow::Result;

use super::outcome::{End, Outcome, StepValue};
use super::reporter::{Reporter, StepEvent, StepRef};
use super::{Plan, Step};
use crate::exec::interrupt;
use crate::fail::Fail;

/// How many steps run at once: all servers, and not two hundred cosigns.
const AT_ONCE: usize = 16;

/// What has become of each step so far.
pub(super) struct Board<'a> {
    plan: &'a Plan,
    ends: Vec<Option<End>>,
    pub(super) running: Vec<bool>,
    made: Vec<(usize, Vec<StepValue>)>,
    first: Option<(usize, Fail)>,
}

impl Board<'_> {
    pub(super) fn new<'a>(plan: &'a Plan, chosen: &[bool]) -> Board<'a> {
        let skipped = |chosen: &bool| (!chosen).then_some(End::Skipped);
        Board {
            plan,
            ends: chosen.iter().map(skipped).collect(),
            running: vec![false; plan.steps.len()],
            made: Vec::new(),
            first: None,
        }
    }

    /// The steps that can begin now; they count as running from here on. Those that
    /// cannot run any more are ended.
    pub(super) fn startable(&mut self, reporter: &dyn Reporter) -> Vec<usize> {
        let stopping = interrupt::interrupted();
        let mut startable = Vec::new();
        loop {
            let mut settled = false;
            for (i, step) in self.plan.steps.iter().enumerate() {
                let full = self.running.iter().filter(|running| **running).count() >= AT_ONCE;
                if self.ends[i].is_some() || self.running[i] || full {
                    continue;
                }
                match needs(self.plan, step, &self.ends) {
                    Needs::Pending => continue,
                    Needs::Failed(by) if !step.always => {
                        reporter.step(at(self.plan, i), StepEvent::Blocked(by));
                        self.ends[i] = Some(End::Blocked);
                        settled = true;
                    }
                    _ if stopping && !step.always => {
                        self.ends[i] = Some(End::Blocked);
                        settled = true;
                    }
                    _ => {
                        self.running[i] = true;
                        startable.push(i);
                    }
                }
            }
            if !settled {
                return startable;
            }
        }
    }

    pub(super) fn ended(&mut self, i: usize, end: Result<(End, Vec<StepValue>), Fail>) {
        self.running[i] = false;
        let end = match end {
            Ok((end, made)) => {
                self.made.push((i, made));
                end
            }
            Err(fail) => {
                // Where several steps failed side by side, the first one in the plan says
                // most about the cause, whichever of them failed first.
                if self.first.as_ref().is_none_or(|(earlier, _)| i < *earlier) {
                    self.first = Some((i, fail));
                }
                End::Failed
            }
        };
        self.ends[i] = Some(end);
    }

    pub(super) fn outcome(mut self, chosen: &[bool]) -> Result<Outcome> {
        if let Some((_, fail)) = self.first {
            return Err(fail.into());
        }
        self.made.sort_by_key(|(i, _)| *i);
        let steps = self.plan.steps.iter().zip(self.ends).zip(chosen);
        Ok(Outcome {
            ends: steps
                .filter(|(_, chosen)| **chosen)
                .filter_map(|((step, end), _)| Some((step.name.clone(), end?)))
                .collect(),
            made: self.made.into_iter().flat_map(|(_, made)| made).collect(),
        })
    }
}

enum Needs<'a> {
    Pending,
    Failed(&'a str),
    Met,
}

fn needs<'a>(plan: &'a Plan, step: &Step, ends: &[Option<End>]) -> Needs<'a> {
    let mut failed = None;
    for (earlier, end) in plan
        .steps
        .iter()
        .zip(ends)
        .filter(|(earlier, _)| step.needs.contains(&earlier.name))
    {
        match end {
            None => return Needs::Pending,
            Some(End::Failed | End::Blocked) => failed = Some(earlier.name.as_str()),
            Some(End::Done | End::Skipped) => {}
        }
    }
    failed.map_or(Needs::Met, Needs::Failed)
}

pub(super) fn at(plan: &Plan, i: usize) -> StepRef<'_> {
    let step = &plan.steps[i];
    StepRef {
        number: i + 1,
        of: plan.steps.len(),
        name: &step.name,
        title: &step.title,
    }
}
