//! `step tuf-root`: the root with which clients of the TUF repository begin, where a pod
//! made it.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::plan::{Step, StepArgs, StepEvent, Word};

/// Take the first root of the TUF repository from the pod that made it
#[derive(Debug, PartialEq, Args)]
pub(crate) struct TufRoot {}

impl StepArgs for TufRoot {
    const NAME: &'static str = "tuf-root";

    fn arguments(&self) -> Vec<Word> {
        Vec::new()
    }
}

impl TufRoot {
    /// The step that takes it; it is done where it is here.
    pub(in crate::cluster) fn step(cluster: &Cluster) -> Step {
        let cluster = cluster.clone();
        let title = "take the root with which clients of the TUF repository begin";
        Step::new(TufRoot::NAME, title)
            .done(move || Ok(cluster.has_root()?.then(|| "it is here".to_owned())))
            .xtask(TufRoot {})
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        cluster.take_root()
    }
}
