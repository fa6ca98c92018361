//! helm on one cluster: its calls, and what it remembers of a release.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::entry::{Version, Versions};
use crate::exec::output_of;
use crate::fail::{Fail, broken};
use crate::parallel;
use crate::plan::{Command, Word};
use crate::words;

/// A chart of the workshop and the namespace of its release, which has the
/// chart's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChartRelease {
    /// `cert-manager`, `scaffold`, …
    pub(crate) chart: &'static str,
    pub(crate) namespace: &'static str,
    /// The version of Rekor that it is for; `None` where it is for either.
    rekor: Option<Version>,
}

/// cert-manager
pub(crate) const CERT_MANAGER: ChartRelease = ChartRelease {
    chart: "cert-manager",
    namespace: "cert-manager",
    rekor: None,
};

/// sigstore/scaffold
pub(crate) const SCAFFOLD: ChartRelease = ChartRelease {
    chart: "scaffold",
    namespace: "sigstore",
    rekor: None,
};

/// sigstore/ctlog-tiles
pub(crate) const CTLOG_TILES: ChartRelease = ChartRelease {
    chart: "ctlog-tiles",
    namespace: "ctlog-tiles-system",
    rekor: Some(Version::V2),
};

/// sigstore/rekor-tiles
pub(crate) const REKOR_TILES: ChartRelease = ChartRelease {
    chart: "rekor-tiles",
    namespace: "rekor-tiles-system",
    rekor: Some(Version::V2),
};

/// sigstore/tsa
pub(crate) const TSA: ChartRelease = ChartRelease {
    chart: "tsa",
    namespace: "tsa-system",
    rekor: Some(Version::V2),
};

/// All there are, in the order in which they are installed.
pub(crate) const RELEASES: [ChartRelease; 5] =
    [CERT_MANAGER, SCAFFOLD, CTLOG_TILES, REKOR_TILES, TSA];

/// Those of an installation with these versions of Rekor.
pub(crate) fn releases(rekor: Versions) -> impl Iterator<Item = ChartRelease> {
    let all = RELEASES.into_iter();
    all.filter(move |release| release.rekor.is_none_or(|version| rekor.has(version)))
}

/// A release as helm remembers it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HelmRelease {
    /// `deployed`, `failed`, `pending-install`, …
    pub(crate) status: String,
    /// The version of its chart.
    pub(crate) version: String,
    /// The values that were given.
    pub(crate) values: Value,
}

/// helm with the context of one cluster.
#[derive(Debug, Clone)]
pub(crate) struct Helm {
    pub(super) context: String,
}

impl Helm {
    /// A call of helm on this cluster.
    pub(crate) fn command(&self, words: Vec<Word>) -> Command {
        let context = words!["--kube-context", &self.context];
        Command::new([words!["helm"], words, context].concat())
    }

    /// The release of a chart; `None` where there is none.
    ///
    /// # Errors
    /// Where an interrupted helm left a release that blocks every other.
    pub(crate) fn installed(&self, release: ChartRelease) -> Result<Option<HelmRelease>> {
        let metadata = self.about("get metadata", release);
        let metadata = || Ok(output_of(&metadata, None).ok());
        let (status, metadata) = parallel::both(|| self.status(release), metadata)?;
        let Some(status) = status else {
            return Ok(None);
        };
        let metadata = json(&metadata.unwrap_or_else(|| "{}".to_owned()))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let installed = HelmRelease {
            status: text(&status["info"]["status"]),
            version: text(&metadata["version"]),
            values: status["config"].clone(),
        };
        if installed.status.starts_with("pending-") {
            return Err(self.stuck(release, &installed.status).into());
        }
        Ok(Some(installed))
    }

    /// Whether there is a release of a chart, whatever has become of it.
    pub(crate) fn has(&self, release: ChartRelease) -> Result<bool> {
        Ok(self.status(release)?.is_some())
    }

    /// The objects of a release, as YAML documents.
    pub(crate) fn manifest(&self, release: ChartRelease) -> Result<String> {
        let words = words!["get", "manifest", release.chart];
        let words = [words, words!["--namespace", release.namespace]].concat();
        output_of(&self.command(words), None)
    }

    fn status(&self, release: ChartRelease) -> Result<Option<Value>> {
        match output_of(&self.about("status", release), None) {
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

    /// What helm says of a release, as JSON.
    fn about(&self, what: &str, release: ChartRelease) -> Command {
        let mut words: Vec<Word> = what.split(' ').map(Word::from).collect();
        words.extend(words![
            release.chart,
            "--namespace",
            release.namespace,
            "--output=json"
        ]);
        self.command(words)
    }

    fn stuck(&self, release: ChartRelease, status: &str) -> Fail {
        let undo = if status == "pending-install" {
            "uninstall"
        } else {
            "rollback"
        };
        broken(format!(
            "the release {} is stuck in {status}: a helm was interrupted, or another one is at work",
            release.chart
        ))
        .hint(format!(
            "where no other helm is at work: helm --kube-context {} {undo} {} --namespace {}",
            self.context, release.chart, release.namespace
        ))
    }

    /// Removes a release.
    pub(crate) fn uninstall(&self, release: ChartRelease) -> Command {
        self.command(words![
            "uninstall",
            release.chart,
            "--namespace",
            release.namespace
        ])
    }
}

/// Values without the keys that are null: a null removes a key, and helm remembers the
/// null.
pub(crate) fn without_nulls(values: &Value) -> Value {
    match values {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), without_nulls(value)))
            .collect(),
        other => other.clone(),
    }
}

fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text).context("helm printed no JSON")
}
