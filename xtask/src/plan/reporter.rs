//! What is told of a plan while it runs, to whoever shows it.

use std::time::Duration;

use super::Plan;
use crate::fail::Fail;

/// One of the steps of a running plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepRef<'a> {
    /// Its place, from 1.
    pub number: usize,
    /// How many steps the plan has.
    pub of: usize,
    /// Its name.
    pub name: &'a str,
    /// What it does.
    pub title: &'a str,
}

/// What happens to a step.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StepEvent<'a> {
    /// It begins.
    Started,
    /// This command of it is about to run.
    Command(&'a str),
    /// A program that it runs printed this line.
    Output(&'a str),
    /// How far it is; `total` is a good guess, not a promise.
    Progress {
        /// How many are done.
        done: u64,
        /// How many there are.
        total: u64,
    },
    /// What it waits for just now.
    Waiting(&'a str),
    /// Something that goes wrong, and may still pass.
    Trouble(&'a [String]),
    /// A line of what it watches, which is shown in any case.
    Line(&'a str),
    /// It had been done before; this is how that is seen.
    Skipped(&'a str),
    /// It is done, and took so long.
    Done(Duration),
    /// It failed.
    Failed(&'a Fail),
    /// It cannot run because the step of this name did not succeed.
    Blocked(&'a str),
}

/// Shows a plan while it runs.
pub(crate) trait Reporter: Sync {
    /// A plan begins.
    fn plan(&self, plan: &Plan);

    /// Something happens to a step of it.
    fn step(&self, step: StepRef<'_>, event: StepEvent<'_>);
}
