//! `step clear-jobs`: Jobs of the release make room for new ones.

use anyhow::Result;
use clap::Args;

use crate::cluster::{Cluster, scaffold_release};
use crate::plan::{StepArgs, StepEvent, Word};

/// Remove the Jobs of the release: they cannot be changed, only made again
#[derive(Debug, PartialEq, Args)]
pub(crate) struct ClearJobs {}

impl StepArgs for ClearJobs {
    const NAME: &'static str = "clear-jobs";

    fn arguments(&self) -> Vec<Word> {
        Vec::new()
    }
}

impl ClearJobs {
    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        scaffold_release::clear_jobs(&cluster.kubectl()?, &cluster.helm()?)
    }
}
