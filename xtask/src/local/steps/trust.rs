//! `step trust`: the trusted root and the signing config of the local target.

use anyhow::Result;
use clap::Args;

use crate::local::Local;
use crate::plan::{StepArgs, StepEvent, Word};

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
    pub(crate) fn run(self, local: &Local, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        local.write_trust()
    }
}
