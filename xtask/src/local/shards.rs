//! The shards of a log: a log that was ended and the one that took its place, each with a
//! key of its own. What is on disk of them is told apart by the number of the key.

use anyhow::{Context, Result};

use super::Local;
use super::manifest::ServerRow;
use super::settings::CountedKey;
use crate::fail::not_so;
use crate::http::Server;
use crate::state;
use crate::trust::write::log_id_of;

impl Local {
    /// The number of the log with this id, where it is one of those that a server has
    /// written.
    pub(super) fn shard_with_id(&self, log: &ServerRow, id: &[u8]) -> Result<Option<usize>> {
        let key = log
            .key
            .as_ref()
            .context("servers.yml names no key of a log")?;
        for number in (1..=self.settings.newest(key.name)).rev() {
            let public = self.as_of(key.name, number).key(log)?;
            let public = public.map(|key| self.dir.join(key.public()));
            let Some(pem) = public.map(|file| state::read(&file)).transpose()?.flatten() else {
                continue;
            };
            let own = log_id_of(log.origin.as_deref(), &pem)?;
            if own == id || id.len() == 4 && own.starts_with(id) {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// Where an ended log of a server is read, if it was kept on disk.
    pub(super) fn shard(
        &self,
        server: &ServerRow,
        key: CountedKey,
        number: usize,
    ) -> Result<Server> {
        let ended = || not_so(format!("shard {number} of {} has ended", server.title));
        let at = server.shards_at.as_deref().ok_or_else(ended)?;
        let then = self.as_of(key, number);
        let rows = self.manifest.servers.iter();
        let mut written = rows.filter(|row| row.key.as_ref().is_some_and(|row| row.name == key));
        let data = written.next().map(|row| then.data(row)).transpose()?;
        if !data
            .flatten()
            .is_some_and(|data| data.join("checkpoint").exists())
        {
            return Err(ended().into());
        }
        Ok(Server::at(then.filled(at)?))
    }
}
