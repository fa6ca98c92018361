//! Which steps of a running plan can begin, and what has become of the others.

use std::collections::HashMap;

use super::Plan;
use super::outcome::{End, Outcome, StepValue};
use super::reporter::{Reporter, StepEvent, StepRef};
use crate::exec::interrupt;
use crate::fail::Fail;

/// What has become of each step so far.
pub(super) struct Board<'a> {
    plan: &'a Plan,
    /// Of each step those that it needs, by their places in the plan.
    needs: Vec<Vec<usize>>,
    ends: Vec<Option<End>>,
    pub(super) running: Vec<bool>,
    made: Vec<(usize, Vec<StepValue>)>,
    failed: Vec<(usize, Fail)>,
}

impl Board<'_> {
    pub(super) fn new<'a>(plan: &'a Plan, chosen: &[bool]) -> Board<'a> {
        let skipped = |chosen: &bool| (!chosen).then_some(End::Skipped);
        let steps = plan.steps.iter().enumerate();
        let places: HashMap<&str, usize> = steps.map(|(i, step)| (&*step.name, i)).collect();
        let place = |need: &String| places.get(&**need).copied();
        let needs = plan.steps.iter();
        Board {
            plan,
            needs: needs
                .map(|step| step.needs.iter().filter_map(place).collect())
                .collect(),
            ends: chosen.iter().map(skipped).collect(),
            running: vec![false; plan.steps.len()],
            made: Vec::new(),
            failed: Vec::new(),
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
                let full =
                    self.running.iter().filter(|running| **running).count() >= self.plan.at_once;
                if self.ends[i].is_some() || self.running[i] || full {
                    continue;
                }
                match self.needs_of(i) {
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

    /// What has become of the steps that one needs.
    fn needs_of(&self, i: usize) -> Needs<'_> {
        let mut failed = None;
        for &earlier in &self.needs[i] {
            match self.ends[earlier] {
                None => return Needs::Pending,
                Some(End::Failed | End::Blocked) => failed = Some(earlier),
                Some(End::Done | End::Skipped) => {}
            }
        }
        failed.map_or(Needs::Met, |i| Needs::Failed(&self.plan.steps[i].name))
    }

    pub(super) fn ended(&mut self, i: usize, end: Result<(End, Vec<StepValue>), Fail>) {
        self.running[i] = false;
        let end = match end {
            Ok((end, made)) => {
                self.made.push((i, made));
                end
            }
            Err(fail) => {
                self.failed.push((i, fail));
                End::Failed
            }
        };
        self.ends[i] = Some(end);
    }

    pub(super) fn outcome(mut self, chosen: &[bool]) -> Outcome {
        self.made.sort_by_key(|(i, _)| *i);
        self.failed.sort_by_key(|(i, _)| *i);
        let name = |i: usize| self.plan.steps[i].name.clone();
        let failed = self.failed.into_iter();
        let steps = self.plan.steps.iter().zip(self.ends).zip(chosen);
        Outcome {
            failed: failed.map(|(i, fail)| (name(i), fail)).collect(),
            ends: steps
                .filter(|(_, chosen)| **chosen)
                .filter_map(|((step, end), _)| Some((step.name.clone(), end?)))
                .collect(),
            made: self
                .made
                .into_iter()
                .flat_map(|(i, made)| made.into_iter().map(move |value| (name(i), value)))
                .collect(),
        }
    }
}

enum Needs<'a> {
    Pending,
    Failed(&'a str),
    Met,
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
