//! What signing on this machine needs beside the cluster: cosign and an identity token.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::cluster::Cluster;
use crate::cluster::follow::WITHIN;
use crate::cluster::object::DEFAULT;
use crate::fail::broken;
use crate::local::servers::Servers;
use crate::state;
use crate::words;

impl Cluster {
    /// The cosign of this machine: the one that the local target built, else that
    /// of the PATH.
    pub(in crate::cluster) fn cosign_program(&self) -> Result<PathBuf> {
        let built = Servers::of(&self.repo)?.program("cosign");
        if built.is_file() {
            return Ok(built);
        }
        Ok(which::which("cosign").map_err(|_| {
            broken("there is no cosign on this machine")
                .hint("install cosign 3: https://docs.sigstore.dev/cosign/system_config/installation/")
                .hint("or build it with Go: cargo xtask --on local install")
        })?)
    }

    /// Asks the cluster for an identity token of a service account, for Fulcio, and
    /// writes it to a file that only its owner reads (`cargo xtask step token`).
    pub(in crate::cluster) fn token(&self, account: &str, out: &Path) -> Result<()> {
        let mut words = words!["create", "token", account, "--namespace", DEFAULT];
        let seconds = WITHIN.as_secs().max(600);
        words.extend(words![
            "--audience=sigstore",
            format!("--duration={seconds}s")
        ]);
        let token = self.kubectl()?.ask(words)?;
        state::write(out, token.trim().as_bytes(), 0o600)
    }
}
