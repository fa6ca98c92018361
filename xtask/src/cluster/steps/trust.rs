//! `step trust`: the trusted root and the signing config of a cluster.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::plan::{Step, StepArgs, StepEvent, Word};

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
    /// The step that writes them; it is done where they hold the keys of the servers.
    pub(in crate::cluster) fn step(cluster: &Cluster) -> Step {
        let cluster = cluster.clone();
        let title = "write the trusted root and the signing config";
        Step::new("trust", title)
            .done(move || {
                let current = cluster.trust_is_current(&[])?;
                Ok(current.then(|| "they are what the keys say".to_owned()))
            })
            .xtask(ClusterTrust {})
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        cluster.write_trust(&[])
    }
}
