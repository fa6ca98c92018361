//! The root above Fulcio's CA, whose key is in a directory of its own: that can be kept
//! on another machine until the next CA is made.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use x509_cert::Certificate;

use super::Local;
use super::manifest::{KeyRow, TrustRole};
use crate::fail::broken;
use crate::state;

impl Local {
    /// The directory of an offline root, once it is known that the next CA can be made
    /// below it.
    ///
    /// # Errors
    /// Where the key of its root is gone, or where another root would be made by mistake.
    pub(super) fn offline_root(&self, dir: &Path) -> Result<PathBuf> {
        let dir = std::path::absolute(dir)?;
        let [key, certificate] = ["key", "pem"].map(|end| dir.join(format!("fulcio-root.{end}")));
        let row = self.fulcio_key()?;
        let all = self.keys(row)?;
        let next = all.last().context("there is no CA")?;
        // One that a rotation left, which was interrupted, needs no root any more.
        if self.dir.join(next.public()).exists() || key.exists() {
            return Ok(dir);
        }
        if certificate.exists() {
            return Err(broken(format!(
                "{} is missing, with which the next CA is signed",
                key.display()
            ))
            .hint("put it back from a copy")
            .hint("or name another directory, in which a new root is made")
            .into());
        }
        let former = &all[..all.len() - 1];
        let in_use = former.last().map(|key| self.dir.join(key.public()));
        let pem = in_use.map(|file| state::read(&file)).transpose()?.flatten();
        let chain = Certificate::load_pem_chain(&pem.unwrap_or_default()).unwrap_or_default();
        if chain.len() > 1 {
            return Err(broken(format!(
                "{} holds no root, and the CA in use is below one",
                dir.display()
            ))
            .hint("name the directory that holds its fulcio-root.key and fulcio-root.pem")
            .hint("for a root of its own, first leave that one: cargo xtask rotate fulcio")
            .into());
        }
        Ok(dir)
    }

    fn fulcio_key(&self) -> Result<&KeyRow> {
        let newest = self.settings.rekor.newest();
        let row = self
            .manifest
            .trusted_as(TrustRole::CertificateAuthority, newest)?;
        let key = row.key.as_ref();
        key.context("servers.yml names no key of the CA")
    }
}
