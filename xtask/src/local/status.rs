//! How the servers are: one row each, measured now.

use std::time::{Duration, SystemTime};

use anyhow::Result;

use super::keys::KeyFile;
use super::manifest::ServerRow;
use super::{Local, process, wait};
use crate::ct_log;
use crate::format::certificate::Leaf;
use crate::http::Server;
use crate::local::platform;
use crate::rekor;
use crate::state;
use crate::target::{Component, ComponentState};
use crate::time;

/// A certificate that ends within this is warned of.
const SOON: Duration = Duration::from_secs(30 * 86400);

impl Local {
    /// How a server is now.
    pub(super) fn component(&self, server: &ServerRow) -> Result<Component> {
        let record = process::record(&self.dir, &server.name)?;
        let alive = record.as_ref().filter(|record| record.alive());
        let answers = alive.is_some() && wait::answers(&self.server_ready(server)?);
        let key = self.key(server)?;
        let ends = key.as_ref().and_then(|key| self.certificate_end(key));
        Ok(Component {
            name: server.name.clone(),
            state: ComponentState::of(record.is_some(), alive.is_some(), answers),
            address: self.address(&server.port)?,
            pid: alive.map(|record| record.pid),
            version: alive.and_then(|record| record.version.clone()),
            since: alive.map(|record| record.since.clone()),
            restarts: None,
            memory_kib: alive.and_then(|record| platform::memory(record.pid)),
            log_size: answers.then(|| self.log_size(server)).flatten(),
            warning: key
                .zip(ends)
                .and_then(|(key, ends)| warning(&key, ends))
                .or_else(|| self.publication_warning(server)),
            certificate_ends: ends.map(time::format),
        })
    }

    /// Whether every server that should run does.
    pub(super) fn all_run(&self) -> Result<bool> {
        for server in self.manifest.chosen(self.settings.rekor) {
            if process::running(&self.dir, &server.name)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many entries the log holds that a server shows.
    fn log_size(&self, server: &ServerRow) -> Option<u64> {
        let log = Server::at(self.read_url(server).ok()?);
        match server.log?.rekor() {
            Some(version) => rekor::size(version, &log).ok(),
            None => ct_log::size(&log).ok(),
        }
    }

    /// When the certificate of a key ends.
    pub(super) fn certificate_end(&self, key: &KeyFile) -> Option<SystemTime> {
        key.kind.renewed_by()?;
        let pem = state::read(&self.dir.join(key.public())).ok()??;
        let (_, end) = Leaf::from_pem(&pem).ok()?.validity();
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(end))
    }
}

/// Whether a certificate that ends then has to be replaced.
pub(super) fn is_soon(ends: SystemTime) -> bool {
    ends.duration_since(SystemTime::now()).unwrap_or_default() < SOON
}

fn warning(key: &KeyFile, ends: SystemTime) -> Option<String> {
    let warning = |renew| {
        format!(
            "its certificate ends {}; renew it: {renew}",
            time::format(ends)
        )
    };
    key.kind.renewed_by().filter(|_| is_soon(ends)).map(warning)
}
