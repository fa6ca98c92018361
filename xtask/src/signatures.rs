//! The memory of what was signed here, a file a target: `signatures.json`, with
//! the bundles of images beside it.

use std::path::Path;

use anyhow::Result;

use crate::artifact::Signature;
use crate::bundle;
use crate::entry::Version;
use crate::fail::{Fail, broken};
use crate::format::hashing::sha256_hash;
use crate::format::hex::hex;
use crate::state;
use crate::text::quote;

/// How many signatures are remembered.
const REMEMBERED: usize = 1000;

/// A signature to be remembered.
pub(crate) struct NewSignature<'a> {
    /// The bundle that cosign wrote.
    pub bundle: &'a Path,
    /// The log that recorded it.
    pub rekor: Version,
    /// The image by digest, or the file.
    pub artifact: &'a str,
    /// Whether it is an image.
    pub image: bool,
    /// The shard of the log, from 1 on, where shards are counted.
    pub shard: Option<usize>,
}

/// Remembers a signature of the target in `dir`, and returns it. Bundles of images are
/// kept beside the trust material; those of files stay where they are.
pub(crate) fn remember(dir: &Path, new: NewSignature<'_>) -> Result<Signature> {
    let NewSignature {
        bundle,
        rekor,
        artifact,
        image,
        shard,
    } = new;
    let text = state::read(bundle)?
        .ok_or_else(|| broken(format!("cosign left no bundle at {}", bundle.display())))?;
    let read = bundle::read(&text)?;
    let leaf = read.leaf()?;
    let bundle = if image {
        let hash = hex(&sha256_hash(&[&text])[..8]);
        let kept = dir.join(format!("signatures/{hash}.sigstore.json"));
        state::write(&kept, &text, 0o600)?;
        let _ = std::fs::remove_file(bundle);
        // Relative, so that it survives a move of the repository.
        kept.strip_prefix(dir)?.to_owned()
    } else {
        std::path::absolute(bundle)?
    };
    let mut signature = Signature {
        artifact: artifact.to_owned(),
        image,
        identity: leaf.identities().first().cloned().unwrap_or_default(),
        issuer: leaf.issuer_claim(),
        rekor,
        log_index: read.log_index()?,
        shard,
        bundle,
    };
    let _held = state::exclusive(&dir.join("signatures.lock"))?;
    let mut all = kept(dir)?;
    all.push(signature.clone());
    let surplus = all.len().saturating_sub(REMEMBERED);
    for old in all.drain(..surplus).filter(|old| old.image) {
        let _ = std::fs::remove_file(dir.join(old.bundle));
    }
    state::write_json(&dir.join("signatures.json"), &all)?;
    signature.bundle = dir.join(signature.bundle);
    Ok(signature)
}

/// The signatures of the target in `dir`, oldest first, with the absolute paths of
/// their bundles.
pub(crate) fn all(dir: &Path) -> Result<Vec<Signature>> {
    let mut all = kept(dir)?;
    for signature in &mut all {
        signature.bundle = dir.join(&signature.bundle);
    }
    Ok(all)
}

fn kept(dir: &Path) -> Result<Vec<Signature>> {
    let path = dir.join("signatures.json");
    match state::read_json(&path) {
        Ok(all) => Ok(all.unwrap_or_default()),
        Err(error) => Err(Fail {
            hints: vec![format!(
                "it only remembers what was signed here, so it can go: rm {}",
                quote(&path.to_string_lossy())
            )],
            ..Fail::from_error(&error)
        }
        .into()),
    }
}
