//! `step preload`: one image comes into minikube before it is needed.

use anyhow::Result;
use clap::Args;

use crate::cluster::{Cluster, images};
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::words;

/// Fetch an image into minikube, where that is possible
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Preload {
    /// Which one.
    pub(crate) image: String,
}

impl StepArgs for Preload {
    const NAME: &'static str = "preload";

    fn arguments(&self) -> Vec<Word> {
        words![&self.image]
    }
}

impl Preload {
    /// The step that fetches the image of the Jobs while nothing needs it yet.
    pub(in crate::cluster) fn step(cluster: &Cluster, image: String) -> Result<Step> {
        let (cluster, minikube, wanted) = (cluster.clone(), cluster.minikube()?, image.clone());
        let title = "fetch the image that signs and verifies";
        Ok(Step::new("images", title)
            .done(move || {
                if let Some(seen) = cluster.is_installed()? {
                    return Ok(Some(seen));
                }
                // Where that cannot be found out, it is fetched.
                let lacking = minikube.lacking_images(std::slice::from_ref(&wanted));
                let there = lacking.is_ok_and(|lacking| lacking.is_empty());
                Ok(there.then(|| "minikube has it".to_owned()))
            })
            .xtask(Preload { image }))
    }

    pub(crate) fn run(self, cluster: &Cluster, report: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        images::preload(&cluster.minikube()?, &self.image, report);
        Ok(())
    }
}
