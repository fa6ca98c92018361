//! `step trust`: the trusted root and the signing config of a cluster.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::plan::{StepArgs, StepEvent, Word};

/// Write the trusted root and the signing config
#[derive(Debug, PartialEq, Args)]
pub(crate) struct ClusterTrust {}

impl StepArgs for ClusterTrust {
    const NAME: &'static str = "trust";

    fn arguments(&self) -> Vec<Word> {
        Vec::new()
    }
}

impl ClusterTrust {
    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        cluster.write_trust()
    }
}
