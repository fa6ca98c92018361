//! How a plan ended, and what its steps made.

use std::any::Any;

use crate::fail::Fail;

/// What a step made, for whoever runs the plan: a signature, or nothing: `()`.
pub(crate) type StepValue = Box<dyn Any + Send>;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It ran.
    Done,
    /// There was nothing to do.
    Skipped,
    /// It failed.
    Failed,
    /// A step that it needs did not succeed.
    Blocked,
}

/// How a plan ended.
pub(crate) struct Outcome {
    /// The name and end of each chosen step, in the order of the plan.
    pub ends: Vec<(String, End)>,
    /// What the steps made, by their names, in the order of the plan.
    pub(super) made: Vec<(String, StepValue)>,
    /// The steps that failed, in the order of the plan, and why.
    pub(super) failed: Vec<(String, Fail)>,
}

impl Outcome {
    /// It, where no step failed. Of steps that failed side by side the first one in the
    /// plan says most about the cause, whichever of them failed first.
    pub(crate) fn all_done(mut self) -> Result<Outcome, Fail> {
        if self.failed.is_empty() {
            return Ok(self);
        }
        Err(self.failed.swap_remove(0).1)
    }

    /// Why the first step failed that did.
    pub(crate) fn first_failure(&self) -> Option<&Fail> {
        self.failed.first().map(|(_, fail)| fail)
    }

    /// Whether the step of this name succeeded, or had nothing to do.
    pub(crate) fn is_done(&self, step: &str) -> bool {
        let mut ends = self.ends.iter();
        let done = [End::Done, End::Skipped];
        ends.any(|(name, end)| name == step && done.contains(end))
    }

    /// Why the artifact at this place, counted from 0, came to nothing: the failure of one
    /// of its own steps, named by [`numbered`](super::numbered).
    pub(crate) fn failure_at(&self, place: usize) -> Option<&Fail> {
        let of = |name: &str| {
            let number = name.rsplit_once('-').and_then(|(_, n)| n.parse().ok());
            number.map_or(0, |n: usize| n.saturating_sub(1))
        };
        let mut failed = self.failed.iter();
        failed
            .find(|(name, _)| of(name) == place)
            .map(|(_, fail)| fail)
    }

    /// Whether any step did something.
    pub(crate) fn changed(&self) -> bool {
        self.ends.iter().any(|(_, end)| *end == End::Done)
    }

    /// What the steps made of this type, in the order of the plan.
    pub(crate) fn made<T: 'static>(&self) -> impl Iterator<Item = &T> {
        let made = self.made.iter();
        made.filter_map(|(_, value)| value.downcast_ref())
    }

    /// What a step made of this type.
    pub(crate) fn made_by<T: 'static>(&self, step: &str) -> Option<&T> {
        let mut made = self.made.iter().filter(|(name, _)| name == step);
        made.find_map(|(_, value)| value.downcast_ref())
    }

    /// The names of the steps that did something.
    pub(crate) fn done(&self) -> Vec<String> {
        let done = self.ends.iter().filter(|(_, end)| *end == End::Done);
        done.map(|(name, _)| name.clone()).collect()
    }
}
