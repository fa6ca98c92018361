//! How many steps of a plan have ended, and one bar for all of a plan that has many that
//! are alike.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::plan::{Plan, StepRef};

/// How many steps of a plan there are, and how many have ended.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    total: AtomicU64,
    ended: AtomicU64,
}

impl Crowd {
    /// A plan begins.
    pub(super) fn begin(&self, plan: &Plan) {
        let total = if plan.many { plan.steps.len() } else { 0 };
        self.total.store(total as u64, Ordering::Relaxed);
        self.ended.store(0, Ordering::Relaxed);
    }

    /// How many steps there are, where they are many.
    pub(super) fn total(&self) -> Option<u64> {
        Some(self.total.load(Ordering::Relaxed)).filter(|total| *total > 0)
    }

    /// Another step has ended; how many that are.
    pub(super) fn end(&self) -> u64 {
        self.ended.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// All of them, as one step.
    pub(super) fn step(total: u64) -> StepRef<'static> {
        let of = usize::try_from(total).unwrap_or(usize::MAX);
        StepRef {
            number: of,
            of,
            name: "",
            title: "all steps",
        }
    }
}
