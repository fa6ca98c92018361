//! Where the servers of a cluster are for this machine: behind forwards or an ingress.

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::cluster::Cluster;
use crate::cluster::servers::{
    CTLOG_TILES, ClusterServer, FULCIO, REGISTRY, REGISTRY_HOST, REKOR, REKOR_TILES, TILES,
    TIMESTAMP, TUF,
};
use crate::cluster::sign_addresses::signs;
use crate::entry::Version;
use crate::fail::{broken, not_so};
use crate::format::hex::hex;
use crate::http::Server;
use crate::registry;
use crate::state;
use crate::target::{Reach, Reached, Shard, Signing};
use crate::tlog::merkle::Hash;

impl Reach for Cluster {
    fn is_loopback(&self) -> bool {
        false
    }

    fn reach_rekor(&self, version: Version) -> Result<Reached> {
        self.reach_shard(version, Shard::Newest)
    }

    fn reach_shard(&self, version: Version, shard: Shard<'_>) -> Result<Reached> {
        self.require_rekor(version)?;
        self.require_installed()?;
        match version {
            // It keeps its log when its key turns.
            Version::V1 => self.reach(&REKOR),
            Version::V2 => self.reach_log(&REKOR_TILES, shard),
        }
    }

    fn ended_shards(&self, version: Version) -> Vec<usize> {
        match version {
            Version::V1 => Vec::new(),
            Version::V2 => self.ended_logs(&REKOR_TILES).unwrap_or_default(),
        }
    }

    /// The CT log of Rekor v1 has an API and no tiles.
    fn reach_ct_log(&self, id: &Hash) -> Result<Reached> {
        self.require_installed()?;
        let root: Value =
            state::read_json(&self.trust_file("trusted_root.json"))?.unwrap_or_default();
        let mut logs = root["ctlogs"].as_array().into_iter().flatten();
        let named = BASE64_STANDARD.encode(id);
        let known = logs.find(|log| log["logId"]["keyId"] == named.as_str());
        let is_on_tiles = |log: &Value| log["baseUrl"] == CTLOG_TILES.url().as_str();
        match known {
            Some(log) if is_on_tiles(log) && self.settings()?.rekor.has(Version::V2) => {
                self.reach_log(&CTLOG_TILES, Shard::WithId(id))
            }
            _ => {
                let what = format!("the CT log {} hands out no tiles here", hex(&id[..4]));
                let fail = not_so(what);
                let runs_v2 = self.settings()?.rekor.has(Version::V2);
                Err(match runs_v2 {
                    true => fail,
                    false => fail.hint("that of Rekor v2 does: cargo xtask install --rekor both"),
                }
                .into())
            }
        }
    }

    fn reach_registry(&self, host: &str) -> Result<Reached> {
        if host != REGISTRY_HOST {
            return Ok(Reached::directly(registry::elsewhere(host)));
        }
        self.require_installed()?;
        let (at, held) = self.port_forwards()?.open_for(&REGISTRY)?;
        let url = at.url.replacen("http://", "https://", 1);
        let server = Server::with_ca(url, self.trust_file("registry.pem"));
        Ok(Reached {
            server,
            _held: Some(Box::new(held)),
        })
    }

    fn env(&self) -> Result<Vec<(String, String)>> {
        self.require_installed()?;
        let file = |name: &str| self.trust_file(name).to_string_lossy().into_owned();
        let rekor = self.settings()?.rekor;
        let registry = self.port_forwards()?.persistent(&REGISTRY).address();
        let mut env = vec![
            ("WORKSHOP_TRUSTED_ROOT", file("trusted_root.json")),
            ("WORKSHOP_SIGNING_CONFIG", file("signing_config.json")),
            ("WORKSHOP_TRUST_CONFIG", file("client_trust_config.json")),
            ("WORKSHOP_ISSUER", self.issuer()?),
            ("WORKSHOP_IDENTITY", self.identity(self.default_user())?),
            ("WORKSHOP_FULCIO", self.host_url(&FULCIO)?),
            ("WORKSHOP_REKOR", self.host_url_of_log(signs(rekor))?),
            ("WORKSHOP_REGISTRY", registry.clone()),
            ("WORKSHOP_REGISTRY_CA", file("registry.pem")),
            ("WORKSHOP_SAMPLE", self.sample()?),
            ("TUF_ROOT", self.tuf_root().to_string_lossy().into_owned()),
        ];
        if let Some(anchor) = self.tuf_anchor() {
            env.push(("WORKSHOP_TUF", self.host_url(&TUF)?));
            let anchor = anchor.to_string_lossy().into_owned();
            env.push(("WORKSHOP_TUF_ANCHOR", anchor));
        }
        if rekor.has(Version::V2) {
            env.push(("WORKSHOP_TIMESTAMP", self.host_url(&TIMESTAMP)?));
        }
        if let Ok(cosign) = self.cosign_program() {
            env.insert(
                0,
                ("WORKSHOP_COSIGN", cosign.to_string_lossy().into_owned()),
            );
        }
        if self.settings()?.ingress.is_some() {
            env.push(("SSL_CERT_FILE", file("ingress.pem")));
        }
        let owned = |(name, value): (&str, String)| (name.to_owned(), value);
        Ok(env.into_iter().map(owned).collect())
    }

    fn env_note(&self) -> Option<&'static str> {
        Some("the addresses lead into the cluster while the forwards are open: cargo xtask start")
    }
}

impl Cluster {
    /// Where this machine reads the log of a version of Rekor, while the persistent
    /// forwards are open.
    fn host_url_of_log(&self, version: Version) -> Result<String> {
        match version {
            Version::V1 => self.host_url(&REKOR),
            Version::V2 => Ok(self.host_url(&TILES)? + &self.newest_path(&REKOR_TILES)?),
        }
    }

    /// The address of a server that speaks HTTP, for as long as the answer is kept.
    pub(in crate::cluster) fn reach(&self, server: &'static ClusterServer) -> Result<Reached> {
        if self.settings()?.ingress.is_some() {
            let at = Server::with_ca(self.host_url(server)?, self.trust_file("ingress.pem"));
            return Ok(Reached::directly(at));
        }
        let (server, held) = self.port_forwards()?.open_for(server)?;
        Ok(Reached {
            server,
            _held: Some(Box::new(held)),
        })
    }

    /// Fails where this version of Rekor does not run on this cluster.
    pub(super) fn require_rekor(&self, version: Version) -> Result<()> {
        let running = self.settings()?.rekor;
        if running.has(version) {
            return Ok(());
        }
        let fail = broken(format!(
            "the cluster runs Rekor {}, not {}",
            running.name(),
            version.name()
        ));
        Err(match version {
            Version::V1 => fail,
            Version::V2 => fail.hint("beside it: cargo xtask install --rekor both"),
        }
        .into())
    }
}
