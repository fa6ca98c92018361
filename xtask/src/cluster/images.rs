//! The images that the pods need: which they are, and how minikube gets them before
//! anything waits for them.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use super::releases::{CERT_MANAGER, SCAFFOLD, Source};
use super::scaffold::{GROUND, TABLES};
use super::steps::{FetchImages, Preload};
use super::{Cluster, settings};
use crate::exec::interrupt;
use crate::exec::{each_line_of, output_of};
use crate::fail::{Fail, broken};
use crate::plan::{Command, Step, StepEvent, Word};
use crate::words;

/// The manifests of the repository that pods come from.
const MANIFESTS: [&str; 3] = [
    "verify/deploy-registry.yml",
    "verify/job-sign.yml",
    "verify/job-verify.yml",
];

impl Cluster {
    /// Every image that manifests and charts name, each once.
    ///
    /// # Errors
    /// Where a chart is not there, or helm cannot fill it in.
    pub fn named_images(&self) -> Result<Vec<String>> {
        let mut images = BTreeSet::new();
        for file in MANIFESTS {
            let manifest = settings::yaml(&self.manifest(file))?;
            let manifest = serde_json::to_value(manifest).context("a manifest is no object")?;
            collect(&manifest, &mut images);
        }
        for source in [CERT_MANAGER, SCAFFOLD] {
            let text = output_of(&self.template(source)?, None)?;
            for document in serde_yaml::Deserializer::from_str(&text) {
                // As JSON, because the chart has a key twice, which JSON suffers as
                // Kubernetes does.
                let document = Value::deserialize(document).context("helm printed no YAML")?;
                collect(&document, &mut images);
            }
        }
        Ok(images.into_iter().collect())
    }

    /// How helm shows all objects of a chart, also those of the first install alone.
    fn template(&self, source: Source) -> Result<Command> {
        let mut words = words!["helm", "template"];
        words.extend(self.release_words(source)?);
        if source == SCAFFOLD {
            let first = GROUND.iter().chain(&TABLES);
            for set in first.filter(|word| word.ends_with("=true")) {
                words.extend(words!["--set", *set]);
            }
        }
        // Without a cluster helm takes the Kubernetes that it was built with, which a chart
        // may refuse.
        let kubernetes = self.pins()?.kubernetes.version;
        words.extend(words!["--kube-version", kubernetes, "--skip-tests"]);
        Ok(Command::new(words))
    }

    /// The step that fetches them into minikube.
    pub fn images_step(&self) -> Step {
        let cluster = self.clone();
        let charts = [CERT_MANAGER, SCAFFOLD].map(|source| format!("{}-chart", source.chart));
        Step::new("images", "fetch the images into minikube")
            .needs(["begin", "minikube"])
            .needs(charts)
            .done(move || {
                // Without the charts and their values nobody knows which they are.
                let mut known = cluster.values_are_written()?;
                for source in [CERT_MANAGER, SCAFFOLD] {
                    known &= cluster.chart_path(source.chart)?.exists();
                }
                if !known || !cluster.minikube_runs()? {
                    return Ok(None);
                }
                let lacking = cluster.lacking_images(&cluster.named_images()?)?;
                Ok(lacking.is_empty().then(|| "minikube has them".to_owned()))
            })
            .xtask(FetchImages {})
    }

    /// The step that fetches the image of the Jobs while nothing needs it yet.
    ///
    /// # Errors
    /// Where the manifest is damaged.
    pub fn job_image_step(&self) -> Result<Step> {
        let job = settings::yaml(&self.manifest("verify/job-sign.yml"))?;
        let image = job["spec"]["template"]["spec"]["containers"][0]["image"].as_str();
        let image = image
            .ok_or_else(|| broken("verify/job-sign.yml names no image"))?
            .to_owned();
        let (cluster, wanted) = (self.clone(), image.clone());
        Ok(
            Step::new("images", "fetch the image that signs and verifies")
                .needs(["minikube"])
                .done(move || {
                    if let Some(seen) = cluster.finished()? {
                        return Ok(Some(seen));
                    }
                    // Where it cannot be told, it is fetched.
                    let lacking = cluster.lacking_images(std::slice::from_ref(&wanted));
                    let there = lacking.is_ok_and(|lacking| lacking.is_empty());
                    Ok(there.then(|| "minikube has it".to_owned()))
                })
                .xtask(Preload { image }),
        )
    }

    /// Fetches the images that minikube lacks (`cargo xtask step fetch-images`). One
    /// that cannot be had does not keep the others from being fetched.
    ///
    /// # Errors
    /// The first failure.
    pub fn fetch_images(&self, report: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let lacking = self.lacking_images(&self.named_images()?)?;
        let mut first = None;
        for (number, image) in (1..).zip(&lacking) {
            if interrupt::interrupted() {
                break;
            }
            report(StepEvent::Waiting(&format!(
                "{number} of {}: {image}",
                lacking.len()
            )));
            if let Err(fail) = self.pull(image) {
                first.get_or_insert(fail);
            }
        }
        first.map_or(Ok(()), |fail| Err(fail.into()))
    }

    /// Fetches an image into minikube (`cargo xtask step preload`). It only saves
    /// time, so what goes wrong is said and does no harm.
    pub fn preload(&self, image: &str, report: &dyn Fn(StepEvent<'_>)) {
        if let Err(fail) = self.pull(image) {
            let line = format!("not fetched in advance: {}", fail.what);
            report(StepEvent::Trouble(&[line]));
        }
    }

    /// Has the node fetch an image, as the kubelet would. `minikube image pull` succeeds
    /// also where it fetched nothing.
    fn pull(&self, image: &str) -> Result<(), Fail> {
        let pull = self
            .on_node(words!["sudo", "crictl", "pull", image])
            .and_then(|pull| each_line_of(&pull, &mut |_| true));
        pull.map_err(|error| {
            let fail = Fail::from_error(&error);
            Fail {
                what: format!("the image {image} was not fetched: {}", fail.what),
                ..fail
            }
        })
    }

    /// Those of these images that minikube has not.
    fn lacking_images(&self, images: &[String]) -> Result<Vec<String>> {
        let list = self.on_node(words!["sudo", "crictl", "images", "--output", "json"])?;
        let said: Value = serde_json::from_str(&output_of(&list, None)?)
            .context("the node's list of images is no JSON")?;
        let there = there(&said);
        let lacking = images
            .iter()
            .filter(|image| !there.contains(&version_of(image)));
        Ok(lacking.cloned().collect())
    }

    /// A call on the node of this profile.
    fn on_node(&self, words: Vec<Word>) -> Result<Command> {
        let profile = &self.settings()?.context;
        let ssh = words!["minikube", "ssh", "--profile", profile, "--"];
        Ok(Command::new([ssh, words].concat()))
    }
}

/// The images of all containers in a document.
fn collect(document: &Value, images: &mut BTreeSet<String>) {
    match document {
        Value::Object(fields) => {
            for (name, value) in fields {
                if ["containers", "initContainers"].contains(&name.as_str()) {
                    let containers = value.as_array().into_iter().flatten();
                    images.extend(
                        containers.filter_map(|one| Some(one["image"].as_str()?.to_owned())),
                    );
                } else {
                    collect(value, images);
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, images)),
        _ => {}
    }
}

/// What a node has, as the container runtime interface tells it.
fn there(said: &Value) -> BTreeSet<(String, String)> {
    let images = said["images"].as_array().into_iter().flatten();
    images
        .flat_map(|image| [&image["repoTags"], &image["repoDigests"]])
        .flat_map(|names| names.as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .map(version_of)
        .collect()
}

/// The full name of an image, and its digest, or its tag where it has none: the tag
/// beside a digest counts for nothing, and Docker Hub's images have short names.
fn version_of(reference: &str) -> (String, String) {
    let (rest, digest) = match reference.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (reference, None),
    };
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (rest, "latest"),
    };
    let is_host = |host: &str| host.contains(['.', ':']) || host == "localhost";
    let on_hub = match name.split_once('/') {
        Some(("docker.io", rest)) => Some(rest),
        Some((host, _)) if is_host(host) => None,
        _ => Some(name),
    };
    let name = match on_hub {
        Some(short) if !short.contains('/') => format!("docker.io/library/{short}"),
        Some(short) => format!("docker.io/{short}"),
        None => name.to_owned(),
    };
    (name, digest.unwrap_or(tag).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_image_is_known_under_each_of_its_names() {
        let digest = format!("sha256:{}", "5a".repeat(32));
        let said = json!({"images": [
            // As Docker names it, and as containerd does.
            {"id": "sha256:1", "repoTags": [], "repoDigests": [format!("redis@{digest}")]},
            {"id": "sha256:2", "repoTags": ["docker.io/library/registry:3.1.1"], "repoDigests": []},
            {"id": "sha256:3", "repoTags": null, "repoDigests": [format!("ghcr.io/sigstore/fulcio@{digest}")]},
        ]});
        let there = there(&said);
        for image in [
            format!("docker.io/redis@{digest}"),
            format!("docker.io/library/redis:8@{digest}"),
            "registry:3.1.1".to_owned(),
            format!("ghcr.io/sigstore/fulcio:v1.8.8@{digest}"),
        ] {
            assert!(there.contains(&version_of(&image)), "{image}");
        }
        for image in [
            "docker.io/library/registry".to_owned(),
            "localhost:5000/registry:3.1.1".to_owned(),
            format!("docker.io/library/registry:3.1.1@{digest}"),
            format!("quay.io/sigstore/fulcio@{digest}"),
        ] {
            assert!(!there.contains(&version_of(&image)), "{image}");
        }
    }

    #[test]
    fn a_list_that_is_none_has_nothing() {
        for said in [json!(null), json!({"images": 7}), json!({"images": [7]})] {
            assert!(there(&said).is_empty(), "{said}");
        }
    }

    #[test]
    fn the_images_of_all_containers_are_found() {
        let text = "
            metadata: {labels: {twice: a, twice: b}}
            spec: {jobTemplate: {spec: {template: {spec: {
                initContainers: [{image: first}],
                containers: [{image: second}, {name: none}]}}}}}
            data: {image: not-one}";
        let mut images = BTreeSet::new();
        collect(&serde_yaml::from_str(text).unwrap(), &mut images);
        assert_eq!(images.into_iter().collect::<Vec<_>>(), ["first", "second"]);
    }
}
