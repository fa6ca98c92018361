//! What an installation on a cluster keeps on this machine.

use std::path::PathBuf;

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::artifact::Signature;
use crate::bundle;
use crate::cluster::Cluster;
use crate::cluster::rotation::{RotationFacts, turning};
use crate::cluster::servers::{REKOR, REKOR_TILES, servers};
use crate::entry::Versions;
use crate::fail::{Fail, broken, not_so};
use crate::plan::Plan;
use crate::state;
use crate::target::{KeyInUse, RotateOptions, RotatedKey, Trust, keys_in_use};
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

    /// Each is called as its server is: where both versions of Rekor run, there are two logs
    /// of a kind.
    fn keys_in_use(&self) -> Result<Vec<KeyInUse>> {
        let root: Option<Value> = state::read_json(&self.trusted_root()?)?;
        let server_at = |url: &str| {
            let mut all = servers(Versions::Both);
            all.find(|server| server.url() == url)
                .map(|server| server.name)
        };
        Ok(keys_in_use(&root.unwrap_or_default(), server_at))
    }

    fn rotate(&self, asked: &RotateOptions) -> Result<Plan> {
        let key = asked.key;
        if asked.offline_root.is_some() {
            return Err(broken("--offline-root is for the local target")
                .hint("on a cluster the next authority is a root of its own: leave the option out")
                .into());
        }
        self.require_trust()?;
        let rekor = self.settings()?.rekor;
        turning(key, rekor)?;
        match key {
            RotatedKey::Tuf => self.require_tuf_root_key()?,
            // No client of the repository asks for it.
            RotatedKey::Registry => {}
            // Who follows the repository has to learn of the next key as well.
            _ => drop(self.require_publisher()?),
        }
        self.rotate_plan(key, &RotationFacts::gather(&self.port_forwards()?, rekor)?)
    }

    fn lost(&self, signature: &Signature) -> Result<Option<Fail>> {
        let text = state::read(&signature.bundle)?.unwrap_or_default();
        let read = bundle::read(&text)?;
        let log = read.log_id();
        let root = self.trust_file("trusted_root.json");
        let root: Value = state::read_json(&root)?.unwrap_or_default();
        // What was replaced stays in the trusted root, with an end.
        let logs = root["tlogs"].as_array().into_iter().flatten();
        let mut in_use = logs.filter(|known| known["publicKey"]["validFor"].get("end").is_none());
        if in_use.any(|known| known["logId"]["keyId"].as_str() == log.as_deref()) {
            return Ok(None);
        }
        // A log on tiles that has ended stays in the volume.
        let id = log
            .as_deref()
            .and_then(|id| BASE64_STANDARD.decode(id).ok());
        if self
            .shard_with_id(&REKOR_TILES, &id.unwrap_or_default())?
            .is_some()
        {
            return Ok(None);
        }
        // A log of Rekor v1 keeps its tree when its key turns.
        let map = self
            .kubectl()?
            .get(REKOR.namespace, "configmap/rekor-config")?;
        let tree = map.and_then(|map| map.data.get("treeID").cloned());
        if tree.is_some_and(|tree| is_in_tree(read.origin(), &tree)) {
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

/// Whether a log of this name has this tree.
fn is_in_tree(origin: Option<&str>, tree: &str) -> bool {
    let named = origin.and_then(|origin| origin.rsplit_once(" - "));
    named.is_some_and(|(_, named)| named == tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_of_a_log_is_in_its_name() {
        assert!(is_in_tree(Some("rekor.example.com - 1234"), "1234"));
        assert!(!is_in_tree(Some("rekor.example.com - 1234"), "234"));
        assert!(!is_in_tree(Some("rekor.example.com"), "1234"));
        assert!(!is_in_tree(None, ""));
    }
}
