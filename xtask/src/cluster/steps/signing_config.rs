//! `step signing-config`: a signing config for the forwards of one command.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::cluster::sign_addresses::SignAddresses;
use crate::entry::Version;
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::{state, words};

/// Write a signing config with other addresses
#[derive(Debug, PartialEq, Args)]
pub(crate) struct SigningConfig {
    /// The version of Rekor.
    #[arg(long, value_enum, default_value = "v1")]
    pub(crate) version: Version,
    /// Where Fulcio is.
    #[arg(long)]
    pub(crate) fulcio: String,
    /// Where Rekor is.
    #[arg(long)]
    pub(crate) rekor: String,
    /// Where the timestamp authority is.
    #[arg(long)]
    pub(crate) timestamp: Option<String>,
    /// The file it goes to.
    #[arg(long)]
    pub(crate) out: PathBuf,
}

impl StepArgs for SigningConfig {
    const NAME: &'static str = "signing-config";

    fn arguments(&self) -> Vec<Word> {
        let mut words = words!["--fulcio", &self.fulcio, "--rekor", &self.rekor];
        if self.version != Version::V1 {
            words.extend(words!["--version", self.version.name()]);
        }
        if let Some(timestamp) = &self.timestamp {
            words.extend(words!["--timestamp", timestamp]);
        }
        words.extend(words!["--out", self.out.as_path()]);
        words
    }
}

impl SigningConfig {
    /// The step that writes it, each time: the ports are those of one command.
    pub(in crate::cluster) fn step(self) -> Step {
        let title = "write a signing config for these forwards";
        Step::new("signing-config", title).again().xtask(self)
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let addresses = SignAddresses {
            fulcio: self.fulcio,
            rekor: self.rekor,
            timestamp: self.timestamp,
        };
        let config = cluster.signing_config_for(self.version, &addresses)?;
        state::write_json(&self.out, &config)
    }
}
