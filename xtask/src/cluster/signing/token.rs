//! What the steps of a signature ask of a cluster: cosign, an identity token, and the
//! name of what was signed.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::bundle;
use crate::cluster::Cluster;
use crate::cluster::follow::WITHIN;
use crate::cluster::object::DEFAULT;
use crate::cluster::servers::{REGISTRY_HOST, REKOR_TILES};
use crate::entry::Version;
use crate::fail::broken;
use crate::local::build::ServerBuild;
use crate::state;
use crate::target::steps::SigningTarget;
use crate::words;

impl Cluster {
    /// The cosign of this machine: the one that the local target built, else that
    /// of the PATH.
    pub(in crate::cluster) fn cosign_program(&self) -> Result<PathBuf> {
        let built = ServerBuild::of(&self.repo)?.program("cosign");
        if built.is_file() {
            return Ok(built);
        }
        Ok(which::which("cosign").map_err(|_| {
            broken("there is no cosign on this machine")
                .hint("install cosign 3: https://docs.sigstore.dev/cosign/system_config/installation/")
                .hint("or build it with Go: cargo xtask --on local install")
        })?)
    }
}

impl SigningTarget for Cluster {
    /// Asks the cluster for a token of a service account.
    fn write_token(&self, account: &str, out: &Path) -> Result<()> {
        let mut words = words!["create", "token", account, "--namespace", DEFAULT];
        let seconds = WITHIN.as_secs().max(600);
        words.extend(words![
            "--audience=sigstore",
            format!("--duration={seconds}s")
        ]);
        let token = self.kubectl()?.ask(words)?;
        state::write(out, token.trim().as_bytes(), 0o600)
    }

    /// A forward leads into the cluster, or the name in a certificate does.
    fn require_fulcio(&self) -> Result<()> {
        Ok(())
    }

    fn name_of_image(
        &self,
        image: String,
        bundle: &Path,
        forwarded: Option<&str>,
    ) -> Result<String> {
        let image = forwarded.map_or(image.clone(), |host| name_in_cluster(&image, host));
        // A Job that is given a tag signs what the tag means just then.
        by_digest(image, bundle)
    }

    /// Rekor v1 keeps its log when its key turns.
    fn shard_of(&self, rekor: Version, bundle: &Path) -> Result<Option<usize>> {
        let text = state::read(bundle)?.unwrap_or_default();
        let entry = bundle::read(&text).ok().and_then(|bundle| bundle.entry);
        match entry.and_then(|entry| entry.log_id) {
            Some(id) if rekor == Version::V2 => self.shard_with_id(&REKOR_TILES, &id),
            _ => Ok(None),
        }
    }
}

/// The name in the cluster of an image of the registry that was forwarded to
/// `host`.
fn name_in_cluster(image: &str, host: &str) -> String {
    match image.strip_prefix(host) {
        Some(rest) if rest.starts_with('/') => format!("{REGISTRY_HOST}{rest}"),
        _ => image.to_owned(),
    }
}

/// The name of an image by the digest that the statement in a bundle names.
fn by_digest(image: String, file: &Path) -> Result<String> {
    if image.contains('@') {
        return Ok(image);
    }
    let text = state::read(file)?.unwrap_or_default();
    let Some(digest) = bundle::read(&text)?.subject_digest() else {
        return Ok(image);
    };
    let tag = image
        .rsplit('/')
        .next()
        .and_then(|name| name.split_once(':'));
    let name = tag.map_or(image.as_str(), |(_, tag)| {
        &image[..image.len() - tag.len() - 1]
    });
    Ok(format!("{name}@{digest}"))
}
