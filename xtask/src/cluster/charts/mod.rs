//! The charts of an installation: where they come from, and what helm is given of them.

mod values;

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::helm::{CERT_MANAGER, ChartRelease, Helm, without_nulls};
use super::pins::{Chart, Pins, pins};
use super::settings::ClusterSettings;
use super::yaml;
use crate::fail::broken;
use crate::format::hashing::sha256_hash;
use crate::format::hex::hex;
use crate::plan::{Command, Word};
use crate::words;

/// The charts of one installation.
#[derive(Debug, Clone)]
pub struct Charts {
    pub(super) repo: PathBuf,
    /// The directory of the target.
    pub(super) dir: PathBuf,
    pub(super) settings: ClusterSettings,
}

impl Charts {
    /// The versions of everything.
    pub(crate) fn pins(&self) -> Result<Pins> {
        pins(&self.repo, self.settings.versions.as_deref())
    }

    /// The pin of a chart.
    pub fn chart(&self, name: &str) -> Result<Chart> {
        let charts = self.pins()?.charts;
        Ok(if name == CERT_MANAGER.chart {
            charts.cert_manager
        } else {
            charts.scaffold
        })
    }

    /// The directory of charts that was chosen; `None` where they are fetched.
    fn directory(&self) -> Option<&Path> {
        let place = self.settings.charts.as_deref();
        place.filter(|place| !place.contains("://")).map(Path::new)
    }

    /// Where fetched charts are: in a directory for each place that they come from.
    pub(crate) fn fetched(&self) -> PathBuf {
        let place = self.settings.charts.as_deref().unwrap_or_default();
        let hash = hex(&sha256_hash(&[place.as_bytes()])[..4]);
        self.dir.join("charts").join(hash)
    }

    /// The command that fetches a chart, and the file that it makes; `None` where
    /// it is taken from a directory.
    pub(crate) fn fetch(&self, name: &str) -> Result<Option<(Command, PathBuf)>> {
        if self.directory().is_some() {
            return Ok(None);
        }
        let chart = self.chart(name)?;
        let mut words = match self.settings.charts.as_deref() {
            Some(oci) if oci.starts_with("oci://") => {
                let reference = format!("{}/{name}", oci.trim_end_matches('/'));
                words!["helm", "pull", reference]
            }
            other => {
                let repository = other.unwrap_or(&chart.repository);
                words!["helm", "pull", name, "--repo", repository]
            }
        };
        let dir = self.fetched();
        words.extend(words![
            "--version",
            &chart.version,
            "--destination",
            dir.as_path()
        ]);
        let file = dir.join(file_name(name, &chart));
        Ok(Some((Command::new(words), file)))
    }

    /// Where helm finds a chart: a file that was fetched, or what a directory
    /// holds.
    ///
    /// # Errors
    /// Where the directory does not hold it in the version that is pinned.
    pub(crate) fn path(&self, name: &str) -> Result<PathBuf> {
        let chart = self.chart(name)?;
        let Some(dir) = self.directory() else {
            return Ok(self.fetched().join(file_name(name, &chart)));
        };
        let file = dir.join(file_name(name, &chart));
        if file.is_file() {
            return Ok(file);
        }
        let unpacked = dir.join(name);
        let manifest = unpacked.join("Chart.yaml");
        if !manifest.is_file() {
            return Err(broken(format!("{} holds no chart {name}", dir.display()))
                .hint(format!(
                    "it should be a directory {name} or a file {}",
                    file_name(name, &chart)
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

    /// What `helm install` and `helm upgrade` are given for a chart.
    pub(crate) fn release_words(&self, release: ChartRelease) -> Result<Vec<Word>> {
        let chart = release.chart;
        let mut words = words![chart, self.path(chart)?, "--namespace", release.namespace];
        words.extend(words!["--values", self.repository_file(chart)]);
        if self.extra_values(chart)?.is_some() {
            words.extend(words!["--values", self.extra_file(chart)]);
        }
        Ok(words)
    }

    /// Whether a release is what would be installed now.
    pub(crate) fn is_current(&self, helm: &Helm, release: ChartRelease) -> Result<bool> {
        let wanted = self.wanted_values(release.chart)?;
        let version = self.chart(release.chart)?.version;
        Ok(helm.installed(release)?.is_some_and(|installed| {
            installed.status == "deployed"
                && installed.version == version
                && without_nulls(&installed.values) == without_nulls(&wanted)
        }))
    }
}

fn file_name(name: &str, chart: &Chart) -> String {
    format!("{name}-{}.tgz", chart.version)
}
