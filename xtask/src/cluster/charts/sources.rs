//! Where the charts of an installation come from, and what is read of that before
//! anything is planned.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_yaml::Value;

use crate::cluster::helm::{CERT_MANAGER, CTLOG_TILES, REKOR_TILES, RELEASES, SCAFFOLD, TSA};
use crate::cluster::pins::{Chart, Pins};
use crate::cluster::settings::ClusterSettings;
use crate::cluster::yaml;
use crate::entry::Version;
use crate::fail::broken;
use crate::format::hashing::sha256_hash;
use crate::format::hex::hex;

/// The files that charts and values are read from.
#[derive(Debug, Clone)]
pub(in crate::cluster) struct ChartSources {
    /// The repository.
    pub(in crate::cluster) repo: PathBuf,
    /// The directory of the target.
    pub(in crate::cluster) dir: PathBuf,
    /// What was chosen.
    pub(in crate::cluster) settings: ClusterSettings,
    /// The versions of everything.
    pub(in crate::cluster) pins: Pins,
}

/// What was read of one chart.
#[derive(Debug, Clone)]
pub(in crate::cluster) struct ChartInput {
    /// Where helm finds it.
    pub(in crate::cluster) path: PathBuf,
    /// The values that are given on top of the repository's file; `None` where there
    /// are none.
    pub(in crate::cluster) extra: Option<Value>,
    /// All its values as one document, as helm remembers them.
    pub(in crate::cluster) wanted: serde_json::Value,
}

impl ChartSources {
    /// Reads where a chart is and what it is given.
    pub(super) fn read(&self, name: &str) -> Result<ChartInput> {
        let path = self.find(name)?;
        let mut all = yaml::read(&self.repository_file(name))?;
        let extra = self.extra_values(name)?;
        if let Some(extra) = extra.clone() {
            yaml::merge(&mut all, extra);
        }
        let wanted = serde_json::to_value(&all).context("values that JSON cannot hold")?;
        Ok(ChartInput {
            path,
            extra,
            wanted,
        })
    }

    /// The pin of a chart.
    pub(super) fn chart(&self, name: &str) -> &Chart {
        let charts = &self.pins.charts;
        match name {
            _ if name == CERT_MANAGER.chart => &charts.cert_manager,
            _ if name == CTLOG_TILES.chart => &charts.ctlog_tiles,
            _ if name == REKOR_TILES.chart => &charts.rekor_tiles,
            _ if name == TSA.chart => &charts.tsa,
            _ => &charts.scaffold,
        }
    }

    /// The directory of charts that was chosen; `None` where they are fetched.
    pub(super) fn directory(&self) -> Option<&Path> {
        let place = self.settings.charts.as_deref();
        place.filter(|place| !place.contains("://")).map(Path::new)
    }

    /// Where fetched charts are: in a directory for each place that they come from.
    pub(crate) fn fetched(&self) -> PathBuf {
        let place = self.settings.charts.as_deref().unwrap_or_default();
        let hash = hex(&sha256_hash(&[place.as_bytes()])[..4]);
        self.dir.join("charts").join(hash)
    }

    /// Where helm finds a chart: a file that is fetched, or what a directory holds.
    ///
    /// # Errors
    /// Where the directory does not hold it in the version that is pinned.
    fn find(&self, name: &str) -> Result<PathBuf> {
        let chart = self.chart(name);
        let Some(dir) = self.directory() else {
            return Ok(self.fetched().join(file_name(name, chart)));
        };
        let file = dir.join(file_name(name, chart));
        if file.is_file() {
            return Ok(file);
        }
        let unpacked = dir.join(name);
        let manifest = unpacked.join("Chart.yaml");
        if !manifest.is_file() {
            return Err(broken(format!("{} holds no chart {name}", dir.display()))
                .hint(format!(
                    "it should be a directory {name} or a file {}",
                    file_name(name, chart)
                ))
                .into());
        }
        let version = yaml::read(&manifest)?;
        let version = version["version"].as_str().unwrap_or("none").to_owned();
        if version != chart.version {
            return Err(broken(format!(
                "the chart {name} at {} has version {version}, not {}",
                unpacked.display(),
                chart.version
            ))
            .hint("name the versions that you have: --versions FILE, which overlays deploy/versions.yml")
            .into());
        }
        Ok(unpacked)
    }

    /// The values that are given on top of the repository's file; `None` where
    /// there are none.
    fn extra_values(&self, chart: &str) -> Result<Option<serde_yaml::Value>> {
        let mut layers = Vec::new();
        if chart == SCAFFOLD.chart {
            let layer = |name: &str| {
                yaml::read(&self.repo.join(format!("deploy/scaffold-{name}-values.yml")))
            };
            if !self.settings.rekor.has(Version::V1) {
                layers.push(layer("rekor-v2")?);
            }
            if let Some(issuer) = &self.settings.issuer {
                layers.push(yaml::filled(layer("issuer")?, "ISSUER", issuer));
            }
            if self.settings.anonymous {
                layers.push(layer("anonymous")?);
            }
            if let Some(domain) = &self.settings.ingress {
                layers.push(yaml::filled(layer("ingress")?, "DOMAIN", domain));
            }
        }
        layers.extend(overlay(self.settings.values.as_deref(), chart)?);
        Ok(layers.into_iter().reduce(|mut below, above| {
            yaml::merge(&mut below, above);
            below
        }))
    }

    pub(super) fn repository_file(&self, chart: &str) -> PathBuf {
        self.repo.join(format!("deploy/{chart}-values.yml"))
    }
}

/// The file of a chart that is packed.
pub(super) fn file_name(name: &str, chart: &Chart) -> String {
    format!("{name}-{}.tgz", chart.version)
}

/// The values that an overlay has for a chart; `None` where it has none.
fn overlay(file: Option<&Path>, chart: &str) -> Result<Option<serde_yaml::Value>> {
    let Some(file) = file else { return Ok(None) };
    let all = yaml::read(file)?;
    const HINT: &str =
        "its top-level keys are cert-manager, scaffold, ctlog-tiles, rekor-tiles and tsa";
    if !all.is_mapping() && !all.is_null() {
        return Err(broken(format!("{} holds no values", file.display()))
            .hint(HINT)
            .into());
    }
    let known = RELEASES.map(|release| release.chart);
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
