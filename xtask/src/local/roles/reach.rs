//! Where the servers of the local target are.

use std::path::PathBuf;

use anyhow::Result;

use crate::entry::Version;
use crate::http::Server;
use crate::local::Local;
use crate::registry;
use crate::target::{Reach, Reached, Signing};

impl Reach for Local {
    fn is_loopback(&self) -> bool {
        true
    }

    fn reach_rekor(&self, version: Version) -> Result<Reached> {
        self.require_installed()?;
        Ok(Reached::directly(Server::at(self.rekor_address(version)?)))
    }

    fn reach_registry(&self, host: &str) -> Result<Reached> {
        Ok(Reached::directly(if host == self.address("registry")? {
            Server::with_ca(
                format!("https://{host}"),
                self.dir.join("keys/registry.pem"),
            )
        } else {
            registry::elsewhere(host)
        }))
    }

    fn env(&self) -> Result<Vec<(&'static str, String)>> {
        self.require_installed()?;
        let path = |path: PathBuf| path.to_string_lossy().into_owned();
        let trust = |name: &str| path(self.trust_file(name));
        let url = |port: &str| {
            self.address(port)
                .map(|address| format!("http://{address}"))
        };
        let timestamp = format!("{}/api/v1/timestamp", url("timestamp")?);
        let registry_ca = path(self.dir.join("keys/registry.pem"));
        Ok(vec![
            ("WORKSHOP_COSIGN", path(self.servers.program("cosign"))),
            ("WORKSHOP_TRUSTED_ROOT", trust("trusted_root.json")),
            ("WORKSHOP_SIGNING_CONFIG", trust("signing_config.json")),
            ("WORKSHOP_TRUST_CONFIG", trust("client_trust_config.json")),
            ("WORKSHOP_ISSUER", self.issuer()?),
            ("WORKSHOP_IDENTITY", self.identity(self.default_user())?),
            ("WORKSHOP_FULCIO", url("fulcio")?),
            ("WORKSHOP_TIMESTAMP", timestamp),
            ("WORKSHOP_REKOR", self.rekor_address(self.rekor())?),
            ("WORKSHOP_REGISTRY", self.address("registry")?),
            ("WORKSHOP_REGISTRY_CA", registry_ca),
            ("WORKSHOP_SAMPLE", self.sample()?),
            ("WORKSHOP_USERS", path(self.dir.join("keys/users.yml"))),
            ("TUF_ROOT", path(self.tuf_root())),
        ])
    }

    fn env_note(&self) -> Option<&'static str> {
        None
    }
}
