//! `step publish` of a cluster: the trust material goes to clients by TUF.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::plan::{Step, StepArgs, StepEvent, Word};

/// Publish the trusted root and the signing config, by TUF
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Publish {}

impl StepArgs for Publish {
    const NAME: &'static str = "publish";

    fn arguments(&self) -> Vec<Word> {
        Vec::new()
    }
}

impl Publish {
    /// The step that publishes; it is done where clients get the trust material as it is
    /// now.
    pub(in crate::cluster) fn step(cluster: &Cluster) -> Step {
        let cluster = cluster.clone();
        let title = "publish the trusted root and the signing config, by TUF";
        Step::new(Publish::NAME, title)
            .done(move || cluster.publication())
            .xtask(Publish {})
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        cluster.publish()
    }
}
