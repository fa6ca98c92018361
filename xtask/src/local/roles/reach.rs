//! Where the servers of the local target are.

use anyhow::Result;

use crate::entry::Version;
use crate::fail::not_so;
use crate::format::hex::hex;
use crate::http::Server;
use crate::local::Local;
use crate::local::manifest::TrustRole;
use crate::registry;
use crate::state;
use crate::target::{Reach, Reached, Signing};
use crate::tlog::merkle::Hash;
use crate::trust::write::ct_log_id;

impl Reach for Local {
    fn is_loopback(&self) -> bool {
        true
    }

    fn reach_rekor(&self, version: Version) -> Result<Reached> {
        self.require_installed()?;
        Ok(Reached::directly(Server::at(self.rekor_address(version)?)))
    }

    fn reach_ct_log(&self, id: &Hash) -> Result<Reached> {
        self.require_installed()?;
        let log = self.manifest.trusted_as(TrustRole::CtLog, self.rekor())?;
        let key = self.key(log)?.map(|key| self.dir.join(key.public()));
        let pem = key.map(|key| state::read(&key)).transpose()?.flatten();
        if pem.is_none_or(|pem| ct_log_id(&pem).is_ok_and(|own| own != *id)) {
            let id = hex(&id[..4]);
            return Err(not_so(format!("the CT log {id} does not run here any more")).into());
        }
        Ok(Reached::directly(self.ct_tiles()?))
    }

    fn reach_registry(&self, host: &str) -> Result<Reached> {
        Ok(Reached::directly(if host == self.registry_address()? {
            let certificate = self.dir.join(self.registry_certificate()?);
            Server::with_ca(self.url(self.registry()?)?, certificate)
        } else {
            registry::elsewhere(host)
        }))
    }

    fn env(&self) -> Result<Vec<(String, String)>> {
        self.require_installed()?;
        self.environment()
    }

    fn env_note(&self) -> Option<&'static str> {
        None
    }
}
