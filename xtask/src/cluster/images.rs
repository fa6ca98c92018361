//! The images that the pods need: which they are, and how minikube gets them before
//! anything waits for them.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use super::charts::Charts;
use super::helm::{ChartRelease, SCAFFOLD};
use super::minikube::Minikube;
use super::scaffold_release::{FIRST_PHASE_VALUES, TABLES};
use crate::entry::Version;
use crate::exec::{interrupt, output_of};
use crate::plan::Command;
use crate::plan::StepEvent;
use crate::words;

/// The manifests of the repository that pods come from.
const MANIFESTS: [&str; 3] = [
    "verify/deploy-registry.yml",
    "verify/job-sign.yml",
    "verify/job-verify.yml",
];

/// What hands out the tiles of Rekor v2 and of its CT log.
const READERS: [&str; 2] = [
    "deploy/reader-rekor-tiles.yml",
    "deploy/reader-ctlog-tiles.yml",
];

/// Every image that manifests and charts name, each once.
pub(super) fn named(charts: &Charts) -> Result<Vec<String>> {
    let mut images = BTreeSet::new();
    let v2 = charts.sources.settings.rekor.has(Version::V2);
    let readers = READERS.into_iter().filter(|_| v2);
    for file in MANIFESTS.into_iter().chain(readers) {
        let text = std::fs::read_to_string(charts.sources.repo.join(file))
            .with_context(|| format!("read {file}"))?;
        collect_all(&text, &mut images).with_context(|| format!("read {file}"))?;
    }
    for release in charts.releases() {
        let text = output_of(&template(charts, release), None)?;
        collect_all(&text, &mut images).context("helm printed no YAML")?;
    }
    Ok(images.into_iter().collect())
}

/// The images of all documents of a text. They are read as JSON, because a chart has a
/// key twice, which JSON suffers as Kubernetes does.
fn collect_all(text: &str, images: &mut BTreeSet<String>) -> Result<()> {
    for document in serde_yaml::Deserializer::from_str(text) {
        collect(&Value::deserialize(document)?, images);
    }
    Ok(())
}

/// Whether the charts and their values are here: without them the images are unknown.
pub(super) fn are_known(charts: &Charts) -> Result<bool> {
    let mut known = charts.values_are_written()?;
    for release in charts.releases() {
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
