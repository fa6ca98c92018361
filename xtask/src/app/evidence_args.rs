//! Which signature the commands that inspect one look at.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::App;
use crate::entry::Version;
use crate::evidence::{self, Inspected, Online, Query, SignatureSource};
use crate::proof::policy::{Expected, Policy};
use crate::rekor::Which;

/// Which signature to look at, and whom to trust.
#[derive(Debug, Default, Args)]
pub(crate) struct EvidenceArgs {
    /// The signatures of this image [default: the last signature made here]
    #[arg(value_name = "IMAGE", conflicts_with_all = ["log_index", "uuid", "rekor", "bundle", "blob"])]
    pub(crate) image: Option<String>,
    /// The entry with this index in the log
    #[arg(long, value_name = "N", conflicts_with = "uuid")]
    pub(crate) log_index: Option<u64>,
    /// The entry with the id that Rekor v1 gave it
    #[arg(long, value_name = "ID")]
    pub(crate) uuid: Option<String>,
    /// Of this log [default: the newest that runs; v1 for a UUID]
    #[arg(long, value_enum)]
    pub(crate) rekor: Option<Version>,
    /// These bundles, without asking any server; - is standard input
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["log_index", "uuid", "rekor"])]
    pub(crate) bundle: Vec<PathBuf>,
    /// The file that must have been signed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["log_index", "uuid"])]
    pub(crate) blob: Option<PathBuf>,
    /// The trusted root that decides whom to trust [default: that of this installation]
    #[arg(long, value_name = "FILE")]
    pub(crate) trusted_root: Option<PathBuf>,
    /// Who must have signed
    #[arg(long, value_name = "NAME", conflicts_with = "identity_regexp")]
    pub(crate) identity: Option<String>,
    /// The same as a regular expression that must be found in the name
    #[arg(long, value_name = "REGEXP")]
    pub(crate) identity_regexp: Option<String>,
    /// Who must have vouched for that name
    #[arg(long, value_name = "URL", conflicts_with = "issuer_regexp")]
    pub(crate) issuer: Option<String>,
    /// The same as a regular expression that must be found in the URL
    #[arg(long, value_name = "REGEXP")]
    pub(crate) issuer_regexp: Option<String>,
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
            && self.image.is_none()
            && self.log_index.is_none()
            && self.uuid.is_none()
            && self.rekor.is_none()
    }

    fn query(&self, online: Online, trace: bool) -> Result<Query> {
        let source = self.source();
        source.refuse_mistakes(self.blob.as_deref())?;
        let (identity, issuer) = (self.identity.as_deref(), self.issuer.as_deref());
        Ok(Query {
            source,
            blob: self.blob.clone(),
            online,
            policy: Policy {
                identity: Expected::typed(identity, self.identity_regexp.as_deref())?,
                issuer: Expected::typed(issuer, self.issuer_regexp.as_deref())?,
            },
            trusted_root: self.trusted_root.clone(),
            trace,
        })
    }

    fn source(&self) -> SignatureSource {
        if !self.bundle.is_empty() {
            return SignatureSource::Bundles(self.bundle.clone());
        }
        if let Some(image) = &self.image {
            return SignatureSource::Image(image.clone());
        }
        let by_uuid = self.uuid.clone().map(Which::Uuid);
        SignatureSource::Log {
            which: by_uuid.or(self.log_index.map(Which::Index)),
            rekor: self.rekor,
        }
    }
}
