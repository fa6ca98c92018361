//! What was chosen at `install`, and the pins and values that follow from it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_yaml::Value;

use crate::fail::{Fail, broken};
use crate::state;

/// The lowest of the ports on which the cluster's servers are reached.
pub const PORT_BASE: u16 = 17850;

/// `settings.json` of a cluster target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The context of kubectl that names the cluster.
    pub context: String,
    /// Where the charts come from, where not from their own repositories: a helm
    /// repository, an `oci://` reference or a directory.
    pub charts: Option<String>,
    /// A file that overlays `deploy/versions.yml`.
    pub versions: Option<PathBuf>,
    /// A file that overlays the helm values; its top-level keys are charts.
    pub values: Option<PathBuf>,
    /// The domain below which an ingress shows Fulcio and Rekor.
    pub ingress: Option<String>,
    /// The lowest port of the forwards.
    pub port_base: u16,
    /// The issuer of the cluster's tokens, where it is another than the chart
    /// expects.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Whether Fulcio asks for the issuer's keys without a token.
    #[serde(default)]
    pub anonymous: bool,
}

impl Settings {
    /// Those of a new installation on a cluster.
    pub fn new(context: &str) -> Settings {
        Settings {
            context: context.to_owned(),
            charts: None,
            versions: None,
            values: None,
            ingress: None,
            port_base: PORT_BASE,
            issuer: None,
            anonymous: false,
        }
    }
}

/// `deploy/versions.yml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// Programs.
    pub tools: Tools,
    /// The cluster.
    pub kubernetes: Kubernetes,
    /// What helm installs.
    pub charts: Charts,
    /// What builds the book.
    pub book: Book,
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
    /// What minikube is told to start.
    pub version: String,
}

/// The charts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charts {
    /// cert-manager
    #[serde(rename = "cert-manager")]
    pub cert_manager: Chart,
    /// sigstore/scaffold
    pub scaffold: Chart,
}

/// What builds the book.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
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
///
/// # Errors
/// Where either is missing or holds something else.
pub fn pins(repo: &Path, overlay: Option<&Path>) -> Result<Pins> {
    let mut all = yaml(&repo.join("deploy/versions.yml"))?;
    if let Some(overlay) = overlay {
        merge(&mut all, yaml(overlay)?);
    }
    serde_yaml::from_value(all).map_err(|error| {
        let file = overlay.map_or_else(
            || "deploy/versions.yml".into(),
            |file| file.display().to_string(),
        );
        broken(format!("{file} does not fit: {error}")).into()
    })
}

/// The values that an overlay has for a chart; `None` where it has none.
///
/// # Errors
/// Where the file is missing or is no mapping of charts.
pub fn overlay(file: Option<&Path>, chart: &str) -> Result<Option<Value>> {
    let Some(file) = file else { return Ok(None) };
    let all = yaml(file)?;
    const HINT: &str = "its top-level keys are cert-manager and scaffold";
    if !all.is_mapping() && !all.is_null() {
        return Err(broken(format!("{} holds no values", file.display()))
            .hint(HINT)
            .into());
    }
    let known = ["cert-manager", "scaffold"];
    let keys = all.as_mapping().map(|charts| charts.keys());
    if let Some(key) = keys
        .into_iter()
        .flatten()
        .find(|key| !key.as_str().is_some_and(|key| known.contains(&key)))
    {
        return Err(broken(format!(
            "{} has values for something that is no chart: {}",
            file.display(),
            key.as_str().unwrap_or("not a name")
        ))
        .hint(HINT)
        .into());
    }
    Ok(all.get(chart).filter(|values| !values.is_null()).cloned())
}

/// A YAML file.
///
/// # Errors
/// Where it is missing or no YAML.
pub fn yaml(file: &Path) -> Result<Value> {
    let text =
        state::read(file)?.ok_or_else(|| broken(format!("there is no file {}", file.display())))?;
    Ok(parse(&text).map_err(|fail| Fail {
        what: format!("{}: {}", file.display(), fail.what),
        ..fail
    })?)
}

/// A YAML document.
///
/// # Errors
/// Where it is none.
pub fn parse(text: &[u8]) -> Result<Value, Fail> {
    serde_yaml::from_slice(text).map_err(|error| broken(format!("that is no YAML: {error}")))
}

/// Lays one document over another, as helm does with values: mappings are
/// merged, all else is replaced, and null removes.
pub fn merge(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Mapping(below), Value::Mapping(above)) => {
            for (key, value) in above {
                if value.is_null() {
                    below.remove(&key);
                } else if let Some(old) = below.get_mut(&key) {
                    merge(old, value);
                } else {
                    below.insert(key, value);
                }
            }
        }
        (below, above) => *below = above,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Value {
        parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn an_overlay_adds_replaces_and_removes() {
        let mut below = document("{a: {b: 1, c: [1, 2], d: 3}, e: 4}");
        merge(&mut below, document("{a: {b: 5, c: [6], d: null}, f: 7}"));
        assert_eq!(below, document("{a: {b: 5, c: [6]}, e: 4, f: 7}"));
    }

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
