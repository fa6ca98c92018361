//! The steps that fetch images into minikube.

use anyhow::Result;

use crate::cluster::helm::RELEASES;
use crate::cluster::steps::{FetchImages, Preload};
use crate::cluster::{Cluster, images, yaml};
use crate::fail::broken;
use crate::plan::Step;

impl Cluster {
    /// The step that fetches all of them.
    pub(super) fn images_step(&self) -> Result<Step> {
        let (charts, minikube) = (self.charts()?, self.minikube()?);
        let needs = RELEASES.map(|release| format!("{}-chart", release.chart));
        Ok(Step::new("images", "fetch the images into minikube")
            .needs(["begin", "minikube"])
            .needs(needs)
            .done(move || {
                if !images::are_known(&charts)? || !minikube.runs() {
                    return Ok(None);
                }
                let lacking = minikube.lacking_images(&images::named(&charts)?)?;
                Ok(lacking.is_empty().then(|| "minikube has them".to_owned()))
            })
            .xtask(FetchImages {}))
    }

    /// The step that fetches the image of the Jobs while nothing needs it yet.
    pub(super) fn job_image_step(&self) -> Result<Step> {
        let job = yaml::read(&self.manifest("verify/job-sign.yml"))?;
        let image = job["spec"]["template"]["spec"]["containers"][0]["image"].as_str();
        let image = image
            .ok_or_else(|| broken("verify/job-sign.yml names no image"))?
            .to_owned();
        let (cluster, minikube, wanted) = (self.clone(), self.minikube()?, image.clone());
        let title = "fetch the image that signs and verifies";
        Ok(Step::new("images", title)
            .needs(["minikube"])
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
}
