//! A cluster runs the steps of its plans.

use anyhow::Result;

use super::Cluster;
use super::steps::ClusterStep;
use crate::plan::{Ready, StepEvent, StepRunner, StepValue, step_args};
use crate::state::State;

impl StepRunner for Cluster {
    fn xtask(&self, words: &[String], report: &dyn Fn(StepEvent<'_>)) -> Result<StepValue> {
        let step: ClusterStep = step_args::parse(words)?;
        step.run(&self.reopened()?, report)
    }

    fn wait(&self, ready: &Ready, report: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        match ready {
            Ready::Issuer { .. } => self.check_discovery(),
            Ready::Http {
                component,
                url: address,
                within,
            }
            | Ready::Tcp {
                component,
                address,
                within,
            } => self.until_open(component, address, *within),
            Ready::Objects {
                namespace,
                conditions,
                within,
            } => self.wait_for(namespace, conditions, *within, report),
        }
    }
}

impl Cluster {
    /// The target as it is on disk now: earlier steps changed it.
    pub(super) fn reopened(&self) -> Result<Cluster> {
        let root = self.dir.parent().unwrap_or(&self.dir).to_owned();
        let context = self
            .settings
            .as_ref()
            .ok()
            .map(|settings| settings.context.clone());
        let state = State::open(root)?;
        let mut again = Cluster::open(&self.repo, &state, self.kind, context.as_deref(), &[])?;
        again.globals.clone_from(&self.globals);
        Ok(again)
    }
}
