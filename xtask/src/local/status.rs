//! How the servers are: one row each, measured now.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::Result;

use super::manifest;
use super::{Local, process};
use crate::entry::Version;
use crate::format::certificate::Leaf;
use crate::http::{self, Server};
use crate::local::platform;
use crate::rekor;
use crate::state;
use crate::target::{Component, ComponentState};
use crate::time;

/// A certificate that ends within this is warned of.
const SOON: Duration = Duration::from_secs(30 * 86400);

impl Local {
    /// How a server is now.
    pub(super) fn component(&self, server: &manifest::Server) -> Result<Component> {
        let record = process::record(&self.dir, &server.name)?;
        let alive = record.as_ref().filter(|record| record.alive());
        let answers = alive.is_some() && process::answers(&self.server_ready(server)?);
        let ends = self.certificate_end(&server.name);
        Ok(Component {
            name: server.name.clone(),
            state: ComponentState::of(record.is_some(), alive.is_some(), answers),
            address: self.address(&server.port)?,
            pid: alive.map(|record| record.pid),
            version: alive.and_then(|record| record.version.clone()),
            since: alive.map(|record| record.since.clone()),
            memory_kib: alive.and_then(|record| platform::memory(record.pid)),
            log_size: answers.then(|| self.log_size(&server.name)).flatten(),
            warning: ends.and_then(|ends| warning(&server.name, ends)),
            certificate_ends: ends.map(time::format),
        })
    }

    fn log_size(&self, name: &str) -> Option<u64> {
        match name {
            "rekor-v1" => self.rekor_size(Version::V1),
            // The tiles show the log even where the server that appends is down.
            "tiles" => self.rekor_size(Version::V2),
            "ctlog" => {
                let url = format!(
                    "http://{}/workshop/ct/v1/get-sth",
                    self.address("ctlog").ok()?
                );
                let head: serde_json::Value =
                    serde_json::from_slice(&http::get(&url, Duration::from_secs(2)).ok()?).ok()?;
                head["tree_size"].as_u64()
            }
            _ => None,
        }
    }

    fn rekor_size(&self, version: Version) -> Option<u64> {
        rekor::size(version, &Server::at(self.rekor_address(version).ok()?)).ok()
    }

    /// Whether the certificate of a component ends within thirty days.
    pub fn ends_soon(&self, name: &str) -> bool {
        self.certificate_end(name).is_some_and(is_soon)
    }

    fn certificate_end(&self, name: &str) -> Option<SystemTime> {
        let file: PathBuf = match name {
            "fulcio" => format!("keys/fulcio-{}.pem", self.settings.fulcio.len()).into(),
            "timestamp" => format!("keys/timestamp-{}.pem", self.settings.timestamp.len()).into(),
            "registry" => "keys/registry.pem".into(),
            _ => return None,
        };
        let pem = state::read(&self.dir.join(file)).ok()??;
        let (_, end) = Leaf::from_pem(&pem).ok()?.validity();
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(end))
    }
}

fn is_soon(ends: SystemTime) -> bool {
    ends.duration_since(SystemTime::now()).unwrap_or_default() < SOON
}

fn warning(name: &str, ends: SystemTime) -> Option<String> {
    let renew = match name {
        "fulcio" => "cargo xtask install --renew ca",
        "timestamp" => "cargo xtask install --renew timestamp",
        _ => "cargo xtask start",
    };
    let warning = || {
        format!(
            "its certificate ends {}; renew it: {renew}",
            time::format(ends)
        )
    };
    is_soon(ends).then(warning)
}
