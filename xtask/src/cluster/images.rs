//! The images that the pods need: which they are, and how minikube gets them before
//! anything waits for them.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use super::charts::Charts;
use super::helm::{ChartRelease, RELEASES, SCAFFOLD};
use super::minikube::Minikube;
use super::scaffold_release::{FIRST_PHASE_VALUES, TABLES};
use super::yaml;
use crate::exec::{interrupt, output_of};
use crate::plan::Command;
use crate::plan::StepEvent;
use crate::words;

/// The manifests of the repository that pods come from.
const MANIFESTS: [&str; 4] = [
    "deploy/deploy-tuf.yml",
    "verify/deploy-registry.yml",
    "verify/job-sign.yml",
    "verify/job-verify.yml",
];

/// Every image that manifests and charts name, each once.
pub(super) fn named(charts: &Charts) -> Result<Vec<String>> {
    let mut images = BTreeSet::new();
    for file in MANIFESTS {
        let manifest = yaml::read(&charts.sources.repo.join(file))?;
        let manifest = serde_json::to_value(manifest).context("a manifest is not an object")?;
        collect(&manifest, &mut images);
    }
    for release in RELEASES {
        let text = output_of(&template(charts, release), None)?;
        for document in serde_yaml::Deserializer::from_str(&text) {
            // As JSON, because the chart has a key twice, which JSON suffers as
            // Kubernetes does.
            let document = Value::deserialize(document).context("helm printed no YAML")?;
            collect(&document, &mut images);
        }
    }
    Ok(images.into_iter().collect())
}

/// Whether the charts and their values are here: without them the images are unknown.
pub(super) fn are_known(charts: &Charts) -> Result<bool> {
    let mut known = charts.values_are_written()?;
    for release in RELEASES {
        known &= charts.path(release.chart).exists();
    }
    Ok(known)
}

/// How helm shows all objects of a chart, also those of the first install alone.
fn template(charts: &Charts, release: ChartRelease) -> Command {
    let mut words = words!["helm", "template"];
    words.extend(charts.release_words(release));
    if release == SCAFFOLD {
        let first = FIRST_PHASE_VALUES.iter().chain(&TABLES);
        for set in first.filter(|word| word.ends_with("=true")) {
            words.extend(words!["--set", *set]);
        }
    }
    // Without a cluster helm takes the Kubernetes that it was built with, which a chart
    // may refuse.
    let kubernetes = &charts.sources.pins.kubernetes.minimum;
    words.extend(words!["--kube-version", kubernetes, "--skip-tests"]);
    Command::new(words)
}

/// Fetches the images that minikube lacks. The others are fetched even where one cannot
/// be; the first failure is returned.
pub(super) fn fetch(
    charts: &Charts,
    minikube: &Minikube,
    report: &dyn Fn(StepEvent<'_>),
) -> Result<()> {
    let lacking = minikube.lacking_images(&named(charts)?)?;
    let mut first = None;
    for (number, image) in (1..).zip(&lacking) {
        if interrupt::interrupted() {
            break;
        }
        let of = lacking.len();
        report(StepEvent::Waiting(&format!("{number} of {of}: {image}")));
        if let Err(fail) = minikube.pull(image) {
            first.get_or_insert(fail);
        }
    }
    first.map_or(Ok(()), |fail| Err(fail.into()))
}

/// Fetches an image into minikube. This only saves time, so a failure is reported and
/// ignored.
pub(super) fn preload(minikube: &Minikube, image: &str, report: &dyn Fn(StepEvent<'_>)) {
    if let Err(fail) = minikube.pull(image) {
        let line = format!("not fetched in advance: {}", fail.what);
        report(StepEvent::Trouble(&[line]));
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

#[cfg(test)]
mod tests {
    use super::*;

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
