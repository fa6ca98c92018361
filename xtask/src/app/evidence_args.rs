//! Which signature the commands that inspect one look at.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use super::App;
use crate::artifact::{self, Artifact};
use crate::entry::Version;
use crate::evidence::{self, Inspected, Online, Query, SignatureSource};
use crate::rekor::Which;
use crate::target::SignerArgs;

/// Which signature to look at, and whom to trust.
#[derive(Debug, Default, Args)]
pub(crate) struct EvidenceArgs {
    /// The signatures of this image or file [default: the last signature made here]
    #[arg(value_name = "IMAGE|FILE", conflicts_with_all = ["log_index", "uuid", "rekor", "bundle", "blob"])]
    pub(crate) image: Option<String>,
    /// The entry with this index in the log
    #[arg(long, value_name = "N", conflicts_with = "uuid")]
    pub(crate) log_index: Option<u64>,
    /// In the log of this number, from 1 on, where one was ended and another begun [default: the newest]
    #[arg(long, value_name = "N", requires = "log_index", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) shard: Option<u32>,
    /// The entry with the id that Rekor v1 gave it
    #[arg(long, value_name = "ID")]
    pub(crate) uuid: Option<String>,
    /// Of this log [default: the newest that runs; v1 for a UUID]
    #[arg(long, value_enum)]
    pub(crate) rekor: Option<Version>,
    /// These bundles, without asking any server; - is standard input
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["log_index", "uuid", "rekor"])]
    pub(crate) bundle: Vec<PathBuf>,
    /// The file that must have been signed, by its bundle beside it where none is named
    #[arg(long, value_name = "FILE", conflicts_with_all = ["log_index", "uuid"])]
    pub(crate) blob: Option<PathBuf>,
    /// The trusted root that decides whom to trust [default: that of this installation]
    #[arg(long, value_name = "FILE")]
    pub(crate) trusted_root: Option<PathBuf>,
    /// Who must have signed.
    #[command(flatten)]
    pub(crate) signer: SignerArgs,
}

impl EvidenceArgs {
    /// Gathers and checks every signature that was asked for, and shows one after the
    /// other as they come.
    pub(crate) fn inspect_all(
        &self,
        app: &App,
        online: Online,
        show: impl FnMut(Inspected) -> Result<()>,
    ) -> Result<()> {
        let style = app.ui.style();
        let query = self.query(online, style.verbose && !style.json)?;
        evidence::inspect_all(query, || app.target(), show)
    }

    /// Whether the options name no signature; then the last one made here is meant.
    pub(crate) fn is_of_last(&self) -> bool {
        self.bundle.is_empty()
            && self.blob.is_none()
            && self.image.is_none()
            && self.log_index.is_none()
            && self.uuid.is_none()
            && self.rekor.is_none()
    }

    fn query(&self, online: Online, trace: bool) -> Result<Query> {
        let (source, blob) = self.source()?;
        source.refuse_mistakes(blob.as_deref())?;
        Ok(Query {
            source,
            blob,
            online,
            policy: self.signer.policy()?,
            trusted_root: self.trusted_root.clone(),
            trace,
        })
    }

    /// Where the signatures are, and the file that they must be of.
    fn source(&self) -> Result<(SignatureSource, Option<PathBuf>)> {
        if !self.bundle.is_empty() {
            let bundles = SignatureSource::Bundles(self.bundle.clone());
            return Ok((bundles, self.blob.clone()));
        }
        // What exists as a file is one, as for `sign` and `verify`.
        if let Some(word) = self.image.as_ref().filter(|word| Path::new(word).exists()) {
            if let Some(artifact) = Artifact::of_bundle(word)? {
                return beside(artifact);
            }
            let file = Path::new(word);
            if artifact::is_bundle(file) {
                return Ok((SignatureSource::Bundles(vec![file.to_owned()]), None));
            }
            return beside(Artifact::file(file, None)?);
        }
        if let Some(image) = &self.image {
            return Ok((SignatureSource::Image(image.clone()), None));
        }
        let in_log = self.rekor.is_some();
        if let Some(file) = self
            .blob
            .as_deref()
            .filter(|file| !in_log && *file != Path::new("-"))
        {
            return beside(Artifact::file(file, None)?);
        }
        let by_uuid = self.uuid.clone().map(Which::Uuid);
        let in_log = SignatureSource::Log {
            which: by_uuid.or(self.log_index.map(Which::Index)),
            rekor: self.rekor,
            shard: self.shard.map(|number| number as usize),
        };
        Ok((in_log, self.blob.clone()))
    }
}

/// The bundle beside a file.
fn beside(artifact: Artifact) -> Result<(SignatureSource, Option<PathBuf>)> {
    artifact.require_bundle()?;
    Ok(match artifact {
        Artifact::Blob { file, bundle } => (SignatureSource::Bundles(vec![bundle]), Some(file)),
        Artifact::Image(image) => (SignatureSource::Image(image), None),
    })
}
