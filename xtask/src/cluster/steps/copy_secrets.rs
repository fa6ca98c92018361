//! `step copy-secrets`: public keys come to where images are signed.

use anyhow::Result;
use clap::Args;

use crate::cluster::{Cluster, copies};
use crate::plan::{StepArgs, StepEvent, Word};

/// Copy the public parts of Secrets to where images are signed
#[derive(Debug, PartialEq, Args)]
pub(crate) struct CopySecrets {}

impl StepArgs for CopySecrets {
    const NAME: &'static str = "copy-secrets";

    fn arguments(&self) -> Vec<Word> {
        Vec::new()
    }
}

impl CopySecrets {
    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        copies::copy(&cluster.kubectl()?)
    }
}
