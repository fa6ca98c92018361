//! Where the servers of the local target are.

use anyhow::Result;

use crate::entry::Version;
use crate::fail::not_so;
use crate::format::hex::hex;
use crate::http::Server;
use crate::local::Local;
use crate::local::manifest::TrustRole;
use crate::local::settings::CountedKey;
use crate::registry;
use crate::target::{Reach, Reached, Shard, Signing, no_shard};
use crate::tlog::merkle::Hash;

impl Reach for Local {
    fn is_loopback(&self) -> bool {
        true
    }

    fn reach_rekor(&self, version: Version) -> Result<Reached> {
        self.require_installed()?;
        Ok(Reached::directly(Server::at(self.rekor_address(version)?)))
    }

    fn reach_shard(&self, version: Version, shard: Shard<'_>) -> Result<Reached> {
        self.require_installed()?;
        let address = self.rekor_address(version)?;
        let key = CountedKey::of_rekor(version);
        let newest = self.settings.newest(key);
        let number = match shard {
            Shard::Newest => newest,
            Shard::Number(number) => number,
            Shard::WithId(id) => {
                let log = self
                    .manifest
                    .trusted_as(TrustRole::TransparencyLog, version)?;
                // Whether another one holds the entry is seen by what it answers.
                self.shard_with_id(log, id)?.unwrap_or(newest)
            }
        };
        if number == newest {
            return Ok(Reached::directly(Server::at(address)));
        }
        let shows = self.shows_rekor(version)?;
        if number > newest {
            return Err(no_shard(number, newest).into());
        }
        Ok(Reached::directly(self.shard(shows, key, number)?))
    }

    fn ended_shards(&self, version: Version) -> Vec<usize> {
        let key = CountedKey::of_rekor(version);
        let ended = 1..self.settings.newest(key);
        let is_served = |number: &usize| {
            let server = self.shows_rekor(version);
            server.is_ok_and(|server| self.shard(server, key, *number).is_ok())
        };
        ended.filter(is_served).collect()
    }

    fn reach_ct_log(&self, id: &Hash) -> Result<Reached> {
        self.require_installed()?;
        let log = self.manifest.trusted_as(TrustRole::CtLog, self.rekor())?;
        let number = self.shard_with_id(log, id)?.ok_or_else(|| {
            let id = hex(&id[..4]);
            not_so(format!("the CT log {id} does not run here any more"))
        })?;
        let newest = number == self.settings.newest(CountedKey::Ctlog);
        Ok(Reached::directly(if newest {
            Server::at(self.read_url(log)?)
        } else {
            self.shard(log, CountedKey::Ctlog, number)?
        }))
    }

    fn newest_ct_log(&self) -> Result<Option<Reached>> {
        let log = self.manifest.trusted_as(TrustRole::CtLog, self.rekor())?;
        let server = Server::at(self.read_url(log)?);
        Ok(Some(Reached::directly(server)))
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
