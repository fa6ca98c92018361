//! The values that the charts are given: what was chosen, laid over what the repository
//! has.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Charts;
use crate::cluster::helm::{RELEASES, SCAFFOLD};
use crate::cluster::yaml;
use crate::fail::broken;
use crate::state;

impl Charts {
    /// The values that are given on top of the repository's file; `None` where
    /// there are none.
    pub(super) fn extra_values(&self, chart: &str) -> Result<Option<serde_yaml::Value>> {
        let mut layers = Vec::new();
        if chart == SCAFFOLD.chart {
            let layer = |name: &str| {
                yaml::read(&self.repo.join(format!("deploy/scaffold-{name}-values.yml")))
            };
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

    pub(super) fn extra_file(&self, chart: &str) -> PathBuf {
        self.dir.join(format!("values/{chart}.yml"))
    }

    pub(super) fn repository_file(&self, chart: &str) -> PathBuf {
        self.repo.join(format!("deploy/{chart}-values.yml"))
    }

    /// Whether the files of values are those that would be written now.
    pub(crate) fn values_are_written(&self) -> Result<bool> {
        for release in RELEASES {
            let written = state::read(&self.extra_file(release.chart))?;
            let written = written.map(|text| yaml::parse(&text)).transpose();
            if written.ok().flatten() != self.extra_values(release.chart)? {
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
            match self.extra_values(release.chart)? {
                Some(values) => {
                    let text = serde_yaml::to_string(&values).context("write YAML")?;
                    state::write(&file, text.as_bytes(), 0o600)?;
                }
                None => drop(std::fs::remove_file(file)),
            }
        }
        Ok(())
    }

    /// All values of a chart as one document, as helm remembers them.
    pub fn wanted_values(&self, chart: &str) -> Result<Value> {
        let mut all = yaml::read(&self.repository_file(chart))?;
        if let Some(extra) = self.extra_values(chart)? {
            yaml::merge(&mut all, extra);
        }
        serde_json::to_value(&all).context("values that JSON cannot hold")
    }
}

/// The values that an overlay has for a chart; `None` where it has none.
fn overlay(file: Option<&Path>, chart: &str) -> Result<Option<serde_yaml::Value>> {
    let Some(file) = file else { return Ok(None) };
    let all = yaml::read(file)?;
    const HINT: &str = "its top-level keys are cert-manager and scaffold";
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
