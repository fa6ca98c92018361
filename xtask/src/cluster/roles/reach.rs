//! Where the servers of a cluster are for this machine: behind forwards or an ingress.

use anyhow::Result;

use crate::cluster::Cluster;
use crate::cluster::servers::{REGISTRY, REGISTRY_HOST, REKOR, TUF};
use crate::entry::Version;
use crate::fail::broken;
use crate::http::Server;
use crate::registry;
use crate::target::{Reach, Reached, Signing};
use crate::tlog::merkle::Hash;

impl Reach for Cluster {
    fn is_loopback(&self) -> bool {
        false
    }

    fn reach_rekor(&self, version: Version) -> Result<Reached> {
        self.require_rekor(version)?;
        self.require_installed()?;
        if self.settings()?.ingress.is_some() {
            let server = Server::with_ca(self.host_urls()?.1, self.trust_file("ingress.pem"));
            return Ok(Reached::directly(server));
        }
        let (server, held) = self.port_forwards()?.open_for(&REKOR)?;
        Ok(Reached {
            server,
            _held: Some(Box::new(held)),
        })
    }

    /// The CT log of the charts has an API and no tiles.
    fn reach_ct_log(&self, _: &Hash) -> Result<Reached> {
        Err(broken("the CT log of this cluster hands out no tiles").into())
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
        let (fulcio, rekor) = self.host_urls()?;
        let registry = self.port_forwards()?.persistent(&REGISTRY).address();
        let mut env = vec![
            ("WORKSHOP_TRUSTED_ROOT", file("trusted_root.json")),
            ("WORKSHOP_SIGNING_CONFIG", file("signing_config.json")),
            ("WORKSHOP_TRUST_CONFIG", file("client_trust_config.json")),
            ("WORKSHOP_ISSUER", self.issuer()?),
            ("WORKSHOP_IDENTITY", self.identity(self.default_user())?),
            ("WORKSHOP_FULCIO", fulcio),
            ("WORKSHOP_REKOR", rekor),
            ("WORKSHOP_REGISTRY", registry.clone()),
            ("WORKSHOP_REGISTRY_CA", file("registry.pem")),
            ("WORKSHOP_SAMPLE", self.sample()?),
            ("TUF_ROOT", self.tuf_root().to_string_lossy().into_owned()),
        ];
        // Below the ingress it is not shown.
        if let Some(anchor) = self.tuf_anchor() {
            let tuf = self.port_forwards()?.persistent(&TUF).address();
            env.push(("WORKSHOP_TUF", format!("http://{tuf}")));
            let anchor = anchor.to_string_lossy().into_owned();
            env.push(("WORKSHOP_TUF_ANCHOR", anchor));
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
    /// Fails where this version of Rekor does not run on a cluster.
    pub(super) fn require_rekor(&self, version: Version) -> Result<()> {
        match version {
            Version::V1 => Ok(()),
            Version::V2 => Err(broken("the cluster runs Rekor v1, not v2")
                .hint("Rekor v2 runs on the local target: --on local")
                .into()),
        }
    }
}
