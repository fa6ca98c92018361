//! `step trust`: the trusted root and the signing config of the local target.

use anyhow::Result;
use clap::Args;

use crate::local::Local;
use crate::plan::{Step, StepArgs, StepEvent, Word};

/// Write the trusted root and the signing config
#[derive(Debug, PartialEq, Args)]
pub(crate) struct LocalTrust {}

impl StepArgs for LocalTrust {
    const NAME: &'static str = "trust";

    fn arguments(&self) -> Vec<Word> {
        Vec::new()
    }
}

impl LocalTrust {
    /// It is done where the files are what the keys say.
    pub(crate) fn step(local: &Local) -> Step {
        let local = local.clone();
        Step::new("trust", "write the trusted root and the signing config")
            .needs(["configure"])
            .done(move || {
                // As the steps before have left it: a period may have ended.
                let current = local.reopened()?.trust_is_current();
                Ok(current.then(|| "they are what the keys say".to_owned()))
            })
            .xtask(LocalTrust {})
    }

    pub(crate) fn run(self, local: &Local, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        local.write_trust()
    }
}
