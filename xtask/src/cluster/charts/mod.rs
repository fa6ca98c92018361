//! The charts of an installation: where they come from, and what helm is given of them.

mod sources;
mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::Value;

use super::helm::{ChartRelease, Helm, REKOR_TILES, releases, without_nulls};
use super::pins::{Chart, pins};
use super::settings::ClusterSettings;
use crate::plan::{Command, Word};
use crate::words;
use sources::file_name;
pub(super) use sources::{ChartInput, ChartSources};

/// The charts of one installation. All files were read before, so that what is planned
/// with them reads none.
#[derive(Debug, Clone)]
pub struct Charts {
    pub(super) sources: ChartSources,
    inputs: BTreeMap<&'static str, ChartInput>,
}

impl Charts {
    /// Reads what the repository, and what was chosen, say of the charts.
    pub(super) fn read(repo: &Path, dir: &Path, settings: &ClusterSettings) -> Result<Charts> {
        let sources = ChartSources {
            repo: repo.to_owned(),
            dir: dir.to_owned(),
            settings: settings.clone(),
            pins: pins(repo, settings.versions.as_deref())?,
        };
        let read = |release: ChartRelease| Ok((release.chart, sources.read(release.chart)?));
        let inputs = releases(settings.rekor).map(read).collect::<Result<_>>()?;
        Ok(Charts { sources, inputs })
    }

    /// The charts of which this was read.
    #[cfg(test)]
    pub(super) fn new(sources: ChartSources, read: impl Fn(&str) -> ChartInput) -> Charts {
        let all = releases(sources.settings.rekor);
        let inputs = all.map(|release| (release.chart, read(release.chart)));
        Charts {
            inputs: inputs.collect(),
            sources,
        }
    }

    /// The releases of the installation.
    pub(crate) fn releases(&self) -> impl Iterator<Item = ChartRelease> {
        releases(self.sources.settings.rekor)
    }

    /// What was read of a chart of the installation.
    fn input(&self, name: &str) -> &ChartInput {
        &self.inputs[name]
    }

    /// The pin of a chart.
    pub fn chart(&self, name: &str) -> &Chart {
        self.sources.chart(name)
    }

    /// All values of a chart as one document, as helm remembers them.
    pub fn wanted_values(&self, name: &str) -> &Value {
        &self.input(name).wanted
    }

    /// Where helm finds a chart.
    pub(crate) fn path(&self, name: &str) -> &Path {
        &self.input(name).path
    }

    /// The command that fetches a chart, and the file that it makes; `None` where
    /// it is taken from a directory.
    pub(crate) fn fetch(&self, name: &str) -> Option<(Command, PathBuf)> {
        let sources = &self.sources;
        if sources.directory().is_some() {
            return None;
        }
        let chart = self.chart(name);
        let mut words = match sources.settings.charts.as_deref() {
            Some(oci) if oci.starts_with("oci://") => {
                let reference = format!("{}/{name}", oci.trim_end_matches('/'));
                words!["helm", "pull", reference]
            }
            other => {
                let repository = other.unwrap_or(&chart.repository);
                words!["helm", "pull", name, "--repo", repository]
            }
        };
        let dir = sources.fetched();
        words.extend(words![
            "--version",
            &chart.version,
            "--destination",
            dir.as_path()
        ]);
        let file = dir.join(file_name(name, chart));
        Some((Command::new(words), file))
    }

    /// What `helm install` and `helm upgrade` are given for a chart.
    pub(crate) fn release_words(&self, release: ChartRelease) -> Vec<Word> {
        let chart = release.chart;
        let mut words = words![chart, self.path(chart), "--namespace", release.namespace];
        words.extend(words!["--values", self.sources.repository_file(chart)]);
        if self.input(chart).extra.is_some() {
            words.extend(words!["--values", self.extra_file(chart)]);
        }
        if release == REKOR_TILES {
            // Its schema demands a node of Google's.
            words.push("--skip-schema-validation".into());
        }
        words
    }

    /// Whether a release is what would be installed now.
    pub(crate) fn is_current(&self, helm: &Helm, release: ChartRelease) -> Result<bool> {
        self.is_current_with(helm, release, self.wanted_values(release.chart))
    }

    /// Whether a release is what would be installed now with these values.
    pub(crate) fn is_current_with(
        &self,
        helm: &Helm,
        release: ChartRelease,
        wanted: &Value,
    ) -> Result<bool> {
        let version = &self.chart(release.chart).version;
        Ok(helm.installed(release)?.is_some_and(|installed| {
            installed.status == "deployed"
                && installed.version == *version
                && without_nulls(&installed.values) == without_nulls(wanted)
        }))
    }
}
