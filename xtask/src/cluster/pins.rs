//! `deploy/versions.yml`: the versions that nothing else in the tree can say.

use std::path::Path;

use anyhow::Result;
use serde::Deserialize;
use serde_yaml::Value;

use super::yaml;
use crate::fail::broken;

/// `deploy/versions.yml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// Programs.
    pub tools: Tools,
    /// The cluster.
    pub kubernetes: Kubernetes,
    /// What helm installs.
    pub charts: ChartPins,
    /// What builds the book.
    pub book: BookPins,
    /// Clients that are no part of the workshop.
    #[allow(dead_code)]
    clients: Value,
}

/// The programs that must be there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tools {
    /// `kubectl`
    pub kubectl: Tool,
    /// `helm`
    pub helm: Tool,
    /// `minikube`
    pub minikube: Tool,
}

/// One program.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// The oldest version that will do.
    pub minimum: String,
}

/// Versions of Kubernetes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kubernetes {
    /// The oldest that will do.
    pub minimum: String,
}

/// The charts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChartPins {
    /// cert-manager
    #[serde(rename = "cert-manager")]
    pub cert_manager: Chart,
    /// sigstore/scaffold
    pub scaffold: Chart,
    /// sigstore/ctlog-tiles
    #[serde(rename = "ctlog-tiles")]
    pub ctlog_tiles: Chart,
    /// sigstore/rekor-tiles
    #[serde(rename = "rekor-tiles")]
    pub rekor_tiles: Chart,
    /// sigstore/tsa
    pub tsa: Chart,
}

/// What builds the book.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookPins {
    /// The version of mdBook.
    pub mdbook: String,
}

/// One chart.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// Its helm repository.
    pub repository: String,
    /// Its version.
    pub version: String,
}

/// The pins of the repository, overlaid with those of a file.
pub fn pins(repo: &Path, overlay: Option<&Path>) -> Result<Pins> {
    let mut all = yaml::read(&repo.join("deploy/versions.yml"))?;
    if let Some(overlay) = overlay {
        yaml::merge(&mut all, yaml::read(overlay)?);
    }
    serde_yaml::from_value(all).map_err(|error| {
        let file = overlay.map_or_else(
            || "deploy/versions.yml".into(),
            |file| file.display().to_string(),
        );
        broken(format!("{file} does not fit: {error}")).into()
    })
}

/// The charts, and the version of each.
pub(crate) fn component_pins(repo: &Path) -> Result<Vec<(String, String)>> {
    let charts = pins(repo, None)?.charts;
    let all = [
        ("cert-manager", charts.cert_manager),
        ("scaffold", charts.scaffold),
        ("ctlog-tiles", charts.ctlog_tiles),
        ("rekor-tiles", charts.rekor_tiles),
        ("tsa", charts.tsa),
    ];
    Ok(all
        .map(|(name, chart)| (name.to_owned(), chart.version))
        .to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pins_of_the_repository_parse() {
        let repo = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert!(
            pins(repo, None)
                .unwrap()
                .charts
                .scaffold
                .version
                .starts_with("0.")
        );
    }
}
