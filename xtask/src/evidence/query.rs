//! Which signatures to look at, and whom to trust.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Inspected, TrustPolicy, from_bundles, from_image, from_log};
use crate::entry::Version;
use crate::fail::{Fail, broken};
use crate::proof::policy::Policy;
use crate::rekor::Which;
use crate::target::Target;

/// Where signatures are found.
pub(crate) enum SignatureSource {
    /// In these bundles; `-` is standard input.
    Bundles(Vec<PathBuf>),
    /// Beside this image, in its registry.
    Image(String),
    /// In a log: the entry that is named, or that of the last signature made here.
    Log {
        /// The entry.
        which: Option<Which>,
        /// The log.
        rekor: Option<Version>,
        /// Its number, where one was ended and another begun.
        shard: Option<usize>,
    },
}

/// Whether the log is asked for what a bundle says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Online(pub(crate) bool);

/// What is asked about signatures.
pub(crate) struct Query {
    /// Where they are found.
    pub(crate) source: SignatureSource,
    /// The file that must have been signed.
    pub(crate) blob: Option<PathBuf>,
    /// Whether the log is asked, where something else has the entry as well.
    pub(crate) online: Online,
    /// Who must have signed.
    pub(crate) policy: Policy,
    /// The trusted root; without one that of the installation counts.
    pub(crate) trusted_root: Option<PathBuf>,
    /// Whether each answer of a server is reported on standard error.
    pub(crate) trace: bool,
}

/// Gathers and checks every signature that was asked for, and shows one after the other
/// as they come. `open` opens the target, which bundles with a trusted root do not need.
pub(crate) fn inspect_all(
    query: Query,
    open: impl Fn() -> Result<Box<dyn Target>>,
    mut show: impl FnMut(Inspected) -> Result<()>,
) -> Result<()> {
    let trust = match &query.trusted_root {
        Some(file) => TrustPolicy::named(file, query.policy)?,
        None => TrustPolicy::of_installation(&open()?.trusted_root()?, query.policy)?,
    };
    let blob = query.blob.as_deref();
    match query.source {
        SignatureSource::Bundles(files) => from_bundles::inspect(&files, blob, &trust, show),
        SignatureSource::Image(image) => from_image::inspect(
            open()?.as_ref(),
            &image,
            query.online,
            query.trace,
            &trust,
            show,
        ),
        SignatureSource::Log {
            which,
            rekor,
            shard,
        } => {
            let asked = from_log::Asked {
                which,
                rekor,
                shard,
                blob,
                online: query.online,
                trace: query.trace,
            };
            show(asked.inspect(open()?.as_ref(), &trust)?)
        }
    }
}

impl SignatureSource {
    /// Fails where what was asked for can only be a mistake.
    pub(crate) fn refuse_mistakes(&self, blob: Option<&Path>) -> Result<(), Fail> {
        let files: &[PathBuf] = match self {
            SignatureSource::Bundles(files) => files,
            _ => &[],
        };
        let files = files.iter().map(PathBuf::as_path).chain(blob);
        if files.filter(|file| *file == Path::new("-")).count() > 1 {
            return Err(broken("standard input can be read once only"));
        }
        Ok(())
    }
}
