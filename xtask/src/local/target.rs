//! The local target runs the steps of its plans.

use anyhow::Result;

use super::steps::LocalStep;
use super::{Local, wait};
use crate::fail::broken;
use crate::plan::{Ready, StepEvent, StepRunner, StepValue, step_args};
use crate::state::State;

impl StepRunner for Local {
    fn xtask(&self, words: &[String], report: &dyn Fn(StepEvent<'_>)) -> Result<StepValue> {
        match step_args::parse(words)? {
            // To stop a server is part of a removal, which damaged settings
            // must not prevent.
            step @ LocalStep::Halt(_) => step.run(self, report),
            step => step.run(&self.reopened()?, report),
        }
    }

    fn wait(&self, ready: &Ready, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        match ready {
            Ready::Http {
                component,
                url: address,
                within,
            }
            | Ready::Tcp {
                component,
                address,
                within,
            } => wait::until_ready(&self.dir, component, address, *within),
            Ready::Objects { .. } | Ready::Issuer { .. } => {
                Err(broken("only a cluster has objects to wait for").into())
            }
        }
    }
}

impl Local {
    /// The target as it is on disk now: earlier steps changed it.
    pub(super) fn reopened(&self) -> Result<Local> {
        let root = self.dir.parent().unwrap_or(&self.dir).to_owned();
        Local::open(&self.repo, &State::open(root)?, self.globals.clone())
    }
}
