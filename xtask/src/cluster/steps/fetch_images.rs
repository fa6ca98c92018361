//! `step fetch-images`: the images of all that will run come into minikube.

use anyhow::Result;
use clap::Args;

use crate::cluster::{Cluster, images};
use crate::plan::{StepArgs, StepEvent, Word};

/// Fetch every image that manifests and charts name into minikube
#[derive(Debug, PartialEq, Args)]
pub(crate) struct FetchImages {}

impl StepArgs for FetchImages {
    const NAME: &'static str = "fetch-images";

    fn arguments(&self) -> Vec<Word> {
        Vec::new()
    }
}

impl FetchImages {
    pub(crate) fn run(self, cluster: &Cluster, report: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        images::fetch(&cluster.charts()?, &cluster.minikube()?, report)
    }
}
