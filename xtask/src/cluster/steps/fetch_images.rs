//! `step fetch-images`: the images of all that will run come into minikube.

use anyhow::Result;
use clap::Args;

use crate::cluster::charts::Charts;
use crate::cluster::minikube::Minikube;
use crate::cluster::{Cluster, images};
use crate::plan::{Step, StepArgs, StepEvent, Word};

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
    /// The step that fetches all of them; it is done where minikube has them.
    pub(in crate::cluster) fn step(charts: &Charts, minikube: Minikube) -> Step {
        let charts = charts.clone();
        Step::new("images", "fetch the images into minikube")
            .done(move || {
                if !images::are_known(&charts)? || !minikube.runs() {
                    return Ok(None);
                }
                let lacking = minikube.lacking_images(&images::named(&charts)?)?;
                Ok(lacking.is_empty().then(|| "minikube has them".to_owned()))
            })
            .xtask(FetchImages {})
    }

    pub(crate) fn run(self, cluster: &Cluster, report: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        images::fetch(&cluster.charts()?, &cluster.minikube()?, report)
    }
}
