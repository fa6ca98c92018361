//! What an installation on a cluster keeps on this machine.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::Value;

use crate::artifact::Signature;
use crate::bundle;
use crate::cluster::Cluster;
use crate::fail::{Fail, broken, not_so};
use crate::plan::Plan;
use crate::state;
use crate::target::{RotateOptions, Trust};
use crate::text::quote;

impl Trust for Cluster {
    fn installed(&self) -> bool {
        self.installed
    }

    fn dir(&self) -> PathBuf {
        self.dir.clone()
    }

    fn require_installed(&self) -> Result<()> {
        Cluster::require_installed(self)
    }

    fn rotate(&self, _: &RotateOptions) -> Result<Plan> {
        Err(broken("`rotate` is for the local target")
            .hint("on a cluster, replace the Secret of the key, then: cargo xtask copy-secrets and cargo xtask trust, which keep the old one")
            .into())
    }

    fn lost(&self, signature: &Signature) -> Result<Option<Fail>> {
        let text = state::read(&signature.bundle)?.unwrap_or_default();
        let log = bundle::read(&text)?.log_id();
        let root = self.trust_file("trusted_root.json");
        let root: Value = state::read_json(&root)?.unwrap_or_default();
        // What was replaced stays in the trusted root, with an end.
        let logs = root["tlogs"].as_array().into_iter().flatten();
        let mut in_use = logs.filter(|known| known["publicKey"]["validFor"].get("end").is_none());
        if in_use.any(|known| known["logId"]["keyId"].as_str() == log.as_deref()) {
            return Ok(None);
        }
        let bundle = quote(&signature.bundle.to_string_lossy());
        Ok(Some(
            not_so("the entry is in the log of an earlier installation, which is gone").hint(
                format!(
                    "what is left of it is the bundle: cargo xtask inspect-rekor --bundle {bundle}"
                ),
            ),
        ))
    }
}
