//! Where the bundle of a file goes: whether it can be written there, and what is left of one
//! that could not.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Result;

use super::Artifact;
use crate::fail::broken;
use crate::text::quote;
use crate::{bundle, state};

impl Artifact {
    /// Fails where the bundle of a file cannot be written: once it is signed, that is in
    /// the log, and nobody could verify it.
    pub(crate) fn require_place_for_bundle(&self) -> Result<()> {
        let Artifact::Blob { file, bundle } = self else {
            return Ok(());
        };
        let name = bundle.display();
        let cannot = |why: &str| broken(format!("the bundle cannot be written to {name}: {why}"));
        let same = bundle == file || bundle.exists() && is_one_file(bundle, file)?;
        if same {
            return Err(cannot("that is the file itself").into());
        }
        let dir = bundle.parent().unwrap_or(Path::new("/"));
        if bundle.is_dir() {
            return Err(cannot("that is a directory").into());
        }
        // A dangling link is there as well.
        if bundle.symlink_metadata().is_ok() && !bundle.is_file() {
            return Err(cannot("that is not a file").into());
        }
        let there = state::read(bundle)?.unwrap_or_default();
        if !there.is_empty() && bundle::read(&there).is_err() {
            let what = "something else than a bundle is there";
            return Err(cannot(what).hint("name another one: --bundle FILE").into());
        }
        if !dir.is_dir() {
            let make = format!("make it: mkdir -p {}", quote(&dir.to_string_lossy()));
            return Err(cannot("there is no such directory").hint(make).into());
        }
        let tried = if bundle.exists() {
            std::fs::OpenOptions::new()
                .append(true)
                .open(bundle)
                .map(drop)
        } else {
            tempfile::tempfile_in(dir).map(drop)
        };
        tried
            .map_err(|error| cannot(&error.to_string()).hint("name another one: --bundle FILE"))?;
        Ok(())
    }

    /// Removes what a signer left of a bundle that it could not write: nobody reads it, and
    /// it would stand where the signature goes. Whether there was such.
    pub(crate) fn remove_torn_bundle(&self) -> bool {
        let Artifact::Blob { bundle, .. } = self else {
            return false;
        };
        let torn = matches!(state::read(bundle), Ok(Some(text)) if bundle::read(&text).is_err());
        torn && std::fs::remove_file(bundle).is_ok()
    }
}

/// Whether two names lead to one file.
fn is_one_file(one: &Path, other: &Path) -> Result<bool> {
    let (one, other) = (one.metadata()?, other.metadata()?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

/// Fails where the bundles of two files would be one file.
pub(crate) fn require_own_bundles(artifacts: &[Artifact]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for artifact in artifacts {
        if let Artifact::Blob { bundle, .. } = artifact {
            let place = std::fs::canonicalize(bundle).unwrap_or_else(|_| bundle.clone());
            if !seen.insert(place) {
                let what = format!("two files have one bundle: {}", bundle.display());
                return Err(broken(what)
                    .hint("remove the link, or sign one of them")
                    .into());
            }
        }
    }
    Ok(())
}
