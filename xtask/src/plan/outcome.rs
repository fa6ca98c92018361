//! How a plan ended, and what its steps made.

use std::any::Any;

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
    /// What the steps made, in the order of the plan.
    pub(super) made: Vec<StepValue>,
}

impl Outcome {
    /// Whether any step did something.
    pub(crate) fn changed(&self) -> bool {
        self.ends.iter().any(|(_, end)| *end == End::Done)
    }

    /// What the steps made of this type, in the order of the plan.
    pub(crate) fn made<T: 'static>(&self) -> impl Iterator<Item = &T> {
        self.made.iter().filter_map(|value| value.downcast_ref())
    }

    /// The names of the steps that did something.
    pub(crate) fn done(&self) -> Vec<String> {
        let done = self.ends.iter().filter(|(_, end)| *end == End::Done);
        done.map(|(name, _)| name.clone()).collect()
    }
}
