//! What must hold once a step is done, and the step that waits for it.

use std::time::Duration;

use crate::cluster::conditions::{Condition, all_hold};
use crate::cluster::kubectl::Kubectl;
use crate::plan::{Ready, Step};

/// How long the servers of a chart may take: images have to be fetched first.
pub(crate) const WITHIN: Duration = Duration::from_secs(600);

/// What must hold in a namespace once a step is done.
pub(super) struct Readiness {
    pub(super) step: String,
    pub(super) title: String,
    pub(super) namespace: &'static str,
    pub(super) conditions: Vec<Condition>,
    /// How it is told that it holds already.
    pub(super) told: &'static str,
}

impl Readiness {
    /// The readiness that consists of these conditions.
    pub(super) fn new(
        step: &str,
        title: &str,
        namespace: &'static str,
        conditions: &[Condition],
    ) -> Self {
        Readiness {
            step: step.to_owned(),
            title: title.to_owned(),
            namespace,
            conditions: conditions.to_vec(),
            told: "it is up",
        }
    }

    /// Replaces the words that say that it holds already.
    pub(super) fn told(self, told: &'static str) -> Readiness {
        Readiness { told, ..self }
    }

    /// The step that makes sure of it.
    pub(super) fn step(self, kubectl: &Kubectl) -> Step {
        let (kubectl, namespace) = (kubectl.clone(), self.namespace);
        let ready = ready(namespace, &self.conditions);
        let (conditions, told) = (self.conditions, self.told);
        Step::new(self.step, self.title)
            .done(move || {
                let holds = all_hold(&kubectl, namespace, &conditions)?;
                Ok(holds.then(|| told.to_owned()))
            })
            .ready(ready)
    }
}

/// That these conditions hold in a namespace, images fetched included.
pub(crate) fn ready(namespace: &str, conditions: &[Condition]) -> Ready {
    Ready::Objects {
        namespace: namespace.to_owned(),
        conditions: conditions.iter().map(ToString::to_string).collect(),
        within: WITHIN,
    }
}
