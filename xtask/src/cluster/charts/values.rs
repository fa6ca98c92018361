//! The files of values that lie over those of the repository, in the directory of the
//! target.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::Charts;
use crate::cluster::helm::RELEASES;
use crate::cluster::yaml;
use crate::state;

impl Charts {
    /// The values that lie over the repository's; `None` where there are none, or where
    /// the chart is not of this installation.
    fn extra(&self, chart: &str) -> Option<&serde_yaml::Value> {
        self.inputs.get(chart)?.extra.as_ref()
    }

    pub(super) fn extra_file(&self, chart: &str) -> PathBuf {
        self.sources.dir.join(format!("values/{chart}.yml"))
    }

    /// Whether the files of values are those that would be written now.
    pub(crate) fn values_are_written(&self) -> Result<bool> {
        for release in RELEASES {
            let written = state::read(&self.extra_file(release.chart))?;
            let written = written.map(|text| yaml::parse(&text)).transpose();
            if written.ok().flatten().as_ref() != self.extra(release.chart) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes the values that lie over the repository's, or removes the file where
    /// there are none any more.
    pub(crate) fn write_values(&self) -> Result<()> {
        for release in RELEASES {
            let file = self.extra_file(release.chart);
            match self.extra(release.chart) {
                Some(values) => {
                    let text = serde_yaml::to_string(values).context("write YAML")?;
                    state::write(&file, text.as_bytes(), 0o600)?;
                }
                None => drop(std::fs::remove_file(file)),
            }
        }
        Ok(())
    }
}
