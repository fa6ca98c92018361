//! A cluster runs the steps of its plans.

use anyhow::Result;

use super::conditions::{Condition, ConditionWait};
use super::discovery::Discovery;
use super::steps::ClusterStep;
use super::{Cluster, forwards};
use crate::plan::{Ready, StepEvent, StepRunner, StepValue, step_args};
use crate::state::State;

impl StepRunner for Cluster {
    fn xtask(&self, words: &[String], report: &dyn Fn(StepEvent<'_>)) -> Result<StepValue> {
        let step: ClusterStep = step_args::parse(words)?;
        step.run(&self.reopened()?, report)
    }

    /// A step may have begun what goes on in the cluster or as a child, and ends that.
    fn heeds_interrupts(&self) -> bool {
        true
    }

    fn wait(&self, ready: &Ready, report: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        match ready {
            Ready::Issuer { context, .. } => {
                Discovery::of(&self.kubectl()?)?.require(self.kind, context)
            }
            Ready::Http {
                component,
                url: address,
                within,
            }
            | Ready::Tcp {
                component,
                address,
                within,
            } => forwards::until_open(&self.dir, component, address, *within),
            Ready::Objects {
                namespace,
                conditions,
                within,
            } => {
                let conditions = conditions.iter().map(|word| word.parse());
                let wait = ConditionWait {
                    kubectl: &self.kubectl()?,
                    namespace,
                    conditions: &conditions.collect::<Result<Vec<Condition>, _>>()?,
                    within: *within,
                    report,
                };
                wait.until_all_hold()
            }
        }
    }
}

impl Cluster {
    /// The target as it is on disk now: earlier steps changed it.
    pub(super) fn reopened(&self) -> Result<Cluster> {
        let root = self.dir.parent().unwrap_or(&self.dir).to_owned();
        let context = self.settings().ok().map(|settings| &*settings.context);
        let state = State::open(root)?;
        Cluster::open(&self.repo, &state, self.kind, context, &self.options)
    }
}
