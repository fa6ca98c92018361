//! The helm releases: which chart, from where, with which values, and what is
//! installed of it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Cluster;
use super::settings::{self, Chart};
use crate::exec::output_of;
use crate::fail::{Fail, broken};
use crate::format::hex::hex;
use crate::parallel;
use crate::plan::{Command, Word};
use crate::state;
use crate::words;

/// A chart of the workshop and the namespace of its release, which has the
/// chart's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// `cert-manager` or `scaffold`
    pub chart: &'static str,
    /// Where the release is.
    pub namespace: &'static str,
}

/// cert-manager
pub const CERT_MANAGER: Source = Source {
    chart: "cert-manager",
    namespace: "cert-manager",
};

/// sigstore/scaffold
pub const SCAFFOLD: Source = Source {
    chart: "scaffold",
    namespace: "sigstore",
};

/// A release that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// `deployed`, `failed`, `pending-install`, …
    pub status: String,
    /// The version of its chart.
    pub version: String,
    /// The values that were given.
    pub values: Value,
}

impl Cluster {
    /// The release of a chart; `None` where there is none.
    ///
    /// # Errors
    /// Where helm fails otherwise, or where an interrupted helm left a release
    /// that blocks every other.
    pub fn release(&self, source: Source) -> Result<Option<Release>> {
        let Source { chart, namespace } = source;
        let metadata = words![
            "get",
            "metadata",
            chart,
            "--namespace",
            namespace,
            "--output=json"
        ];
        let metadata = self.helm(metadata)?;
        let metadata = || Ok(output_of(&metadata, None).ok());
        let (status, metadata) = parallel::both(|| self.release_status(source), metadata)?;
        let Some(status) = status else {
            return Ok(None);
        };
        let metadata = json(&metadata.unwrap_or_else(|| "{}".to_owned()))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let release = Release {
            status: text(&status["info"]["status"]),
            version: text(&metadata["version"]),
            values: status["config"].clone(),
        };
        if release.status.starts_with("pending-") {
            return Err(self.stuck(source, &release.status)?.into());
        }
        Ok(Some(release))
    }

    /// Whether there is a release of a chart, whatever has become of it.
    ///
    /// # Errors
    /// Where helm fails otherwise.
    pub fn is_released(&self, source: Source) -> Result<bool> {
        Ok(self.release_status(source)?.is_some())
    }

    fn release_status(&self, source: Source) -> Result<Option<Value>> {
        let Source { chart, namespace } = source;
        let status = self.helm(words![
            "status",
            chart,
            "--namespace",
            namespace,
            "--output=json"
        ])?;
        match output_of(&status, None) {
            Ok(text) => json(&text).map(Some),
            Err(error) => {
                let fail = Fail::from_error(&error);
                if fail.says("release: not found") {
                    return Ok(None);
                }
                Err(error)
            }
        }
    }

    fn stuck(&self, source: Source, status: &str) -> Result<Fail> {
        let undo = if status == "pending-install" {
            "uninstall"
        } else {
            "rollback"
        };
        Ok(broken(format!(
            "the release {} is stuck in {status}: a helm was interrupted, or another one is at work",
            source.chart
        ))
        .hint(format!(
            "where no other helm is at work: helm --kube-context {} {undo} {} --namespace {}",
            self.settings()?.context,
            source.chart,
            source.namespace
        )))
    }

    /// Whether a release is what would be installed now.
    ///
    /// # Errors
    /// As [`Cluster::release`]; where values or pins are damaged.
    pub fn is_current(&self, source: Source) -> Result<bool> {
        let wanted = self.wanted_values(source.chart)?;
        let version = self.chart(source.chart)?.version;
        Ok(self.release(source)?.is_some_and(|release| {
            release.status == "deployed"
                && release.version == version
                && without_nulls(&release.values) == without_nulls(&wanted)
        }))
    }

    /// The pin of a chart.
    ///
    /// # Errors
    /// Where the pins are damaged.
    pub fn chart(&self, name: &str) -> Result<Chart> {
        let charts = self.pins()?.charts;
        Ok(if name == CERT_MANAGER.chart {
            charts.cert_manager
        } else {
            charts.scaffold
        })
    }

    /// The directory of charts that was chosen; `None` where they are fetched.
    ///
    /// # Errors
    /// Where no cluster is known.
    fn chart_directory(&self) -> Result<Option<&Path>> {
        let place = self.settings()?.charts.as_deref();
        Ok(place.filter(|place| !place.contains("://")).map(Path::new))
    }

    /// Where fetched charts are: in a directory for each place that they come from.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub fn fetched_charts(&self) -> Result<PathBuf> {
        let place = self.settings()?.charts.as_deref().unwrap_or_default();
        let hash = hex(&Sha256::digest(place)[..4]);
        Ok(self.dir.join("charts").join(hash))
    }

    /// The command that fetches a chart, and the file that it makes; `None` where
    /// it is taken from a directory.
    ///
    /// # Errors
    /// Where the pins are damaged.
    pub fn fetch_chart(&self, name: &str) -> Result<Option<(Command, PathBuf)>> {
        if self.chart_directory()?.is_some() {
            return Ok(None);
        }
        let chart = self.chart(name)?;
        let mut words = match self.settings()?.charts.as_deref() {
            Some(oci) if oci.starts_with("oci://") => {
                words![
                    "helm",
                    "pull",
                    format!("{}/{name}", oci.trim_end_matches('/'))
                ]
            }
            other => {
                let repository = other.unwrap_or(&chart.repository);
                words!["helm", "pull", name, "--repo", repository]
            }
        };
        let dir = self.fetched_charts()?;
        words.extend(words![
            "--version",
            &chart.version,
            "--destination",
            dir.as_path()
        ]);
        Ok(Some((
            Command::new(words),
            dir.join(file_name(name, &chart)),
        )))
    }

    /// Where helm finds a chart: a file that was fetched, or what a directory
    /// holds.
    ///
    /// # Errors
    /// Where the directory does not hold it in the version that is pinned.
    pub fn chart_path(&self, name: &str) -> Result<PathBuf> {
        let chart = self.chart(name)?;
        let Some(dir) = self.chart_directory()? else {
            return Ok(self.fetched_charts()?.join(file_name(name, &chart)));
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
        let version = settings::yaml(&manifest)?;
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
    ///
    /// # Errors
    /// Where the overlay is damaged.
    pub fn extra_values(&self, chart: &str) -> Result<Option<serde_yaml::Value>> {
        let settings = self.settings()?;
        let mut layers = Vec::new();
        if chart == SCAFFOLD.chart {
            let layer = |name: &str| {
                settings::yaml(&self.manifest(&format!("deploy/scaffold-{name}-values.yml")))
            };
            if let Some(issuer) = &settings.issuer {
                layers.push(filled(layer("issuer")?, "ISSUER", issuer));
            }
            if settings.anonymous {
                layers.push(layer("anonymous")?);
            }
            if let Some(domain) = &settings.ingress {
                layers.push(filled(layer("ingress")?, "DOMAIN", domain));
            }
        }
        layers.extend(settings::overlay(settings.values.as_deref(), chart)?);
        Ok(layers.into_iter().reduce(|mut below, above| {
            settings::merge(&mut below, above);
            below
        }))
    }

    /// The values files of a chart, each laid over those before.
    ///
    /// # Errors
    /// Where the overlay is damaged.
    pub fn value_files(&self, chart: &str) -> Result<Vec<PathBuf>> {
        let mut files = vec![self.manifest(&format!("deploy/{chart}-values.yml"))];
        if self.extra_values(chart)?.is_some() {
            files.push(self.extra_file(chart));
        }
        Ok(files)
    }

    fn extra_file(&self, chart: &str) -> PathBuf {
        self.dir.join(format!("values/{chart}.yml"))
    }

    /// Whether the files of values are those that would be written now.
    ///
    /// # Errors
    /// Where an overlay is damaged.
    pub fn values_are_written(&self) -> Result<bool> {
        for source in [CERT_MANAGER, SCAFFOLD] {
            let written = state::read(&self.extra_file(source.chart))?;
            let written = written.map(|text| settings::parse(&text)).transpose();
            if written.ok().flatten() != self.extra_values(source.chart)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes the values that lie over the repository's, or removes the file where
    /// there are none any more.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn write_values(&self) -> Result<()> {
        for source in [CERT_MANAGER, SCAFFOLD] {
            let file = self.extra_file(source.chart);
            match self.extra_values(source.chart)? {
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
    ///
    /// # Errors
    /// Where a file of them is damaged.
    pub fn wanted_values(&self, chart: &str) -> Result<Value> {
        let mut all = settings::yaml(&self.manifest(&format!("deploy/{chart}-values.yml")))?;
        if let Some(extra) = self.extra_values(chart)? {
            settings::merge(&mut all, extra);
        }
        serde_json::to_value(&all).context("values that JSON cannot hold")
    }

    /// What `helm install` and `helm upgrade` are given for a chart.
    ///
    /// # Errors
    /// Where the chart or its values are not there.
    pub fn release_words(&self, source: Source) -> Result<Vec<Word>> {
        let mut words = words![
            source.chart,
            self.chart_path(source.chart)?,
            "--namespace",
            source.namespace
        ];
        for file in self.value_files(source.chart)? {
            words.extend(words!["--values", file]);
        }
        Ok(words)
    }
}

/// Values without what a null takes away: helm remembers the null itself.
pub fn without_nulls(values: &Value) -> Value {
    match values {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), without_nulls(value)))
            .collect(),
        other => other.clone(),
    }
}

fn file_name(name: &str, chart: &Chart) -> String {
    format!("{name}-{}.tgz", chart.version)
}

fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text).context("helm printed no JSON")
}

/// Values with a text in place of a placeholder, in keys as well.
fn filled(values: serde_yaml::Value, placeholder: &str, text: &str) -> serde_yaml::Value {
    use serde_yaml::Value;
    let fill = |value| filled(value, placeholder, text);
    match values {
        Value::String(value) => Value::String(value.replace(placeholder, text)),
        Value::Sequence(list) => Value::Sequence(list.into_iter().map(fill).collect()),
        Value::Mapping(map) => Value::Mapping(
            map.into_iter()
                .map(|(key, value)| (fill(key), fill(value)))
                .collect(),
        ),
        other => other,
    }
}
