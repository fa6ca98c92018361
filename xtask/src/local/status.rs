//! How the servers are: one row each, measured now.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::Result;

use super::manifest::fill;
use super::{Local, process};
use crate::entry::Version;
use crate::fail::not_so;
use crate::format::certificate::Leaf;
use crate::http::{self, Server};
use crate::local::platform;
use crate::parallel;
use crate::preflight::Check;
use crate::problems;
use crate::rekor;
use crate::state;
use crate::target::Component;
use crate::time;

/// A certificate that ends within this is warned of.
const SOON: Duration = Duration::from_secs(30 * 86400);

impl Local {
    /// Looks at every component that should run.
    ///
    /// # Errors
    /// Where nothing is installed or the state is damaged.
    pub fn status(&self) -> Result<Vec<Component>> {
        self.require_installed()?;
        let variables = self.manifest.variables(&self.settings)?;
        let servers: Vec<_> = self.manifest.chosen(self.settings.rekor).collect();
        parallel::each(&servers, |server| {
            let record = process::record(&self.dir, &server.name)?;
            let alive = record.as_ref().filter(|record| record.alive());
            let answers = alive.is_some() && process::answers(&fill(&server.ready, &variables)?);
            let state = match (&record, &alive, answers) {
                (_, Some(_), true) => "up",
                (_, Some(_), false) => "silent",
                (Some(_), None, _) => "ended",
                (None, ..) => "stopped",
            };
            let ends = self.certificate_end(&server.name);
            Ok(Component {
                name: server.name.clone(),
                state,
                address: self.address(&server.port)?,
                pid: alive.map(|record| record.pid),
                version: alive.and_then(|record| record.version.clone()),
                since: alive.map(|record| record.since.clone()),
                memory_kib: alive.and_then(|record| platform::memory(record.pid)),
                log_size: if answers {
                    self.log_size(&server.name)
                } else {
                    None
                },
                warning: ends.and_then(|ends| warning(&server.name, ends)),
                certificate_ends: ends.map(time::format),
            })
        })
        .into_iter()
        .collect()
    }

    /// Looks at the machine, at every server, and for known problems in what they
    /// printed last.
    ///
    /// # Errors
    /// Where the state is damaged.
    pub fn diagnose(&self) -> Result<Vec<Check>> {
        let mut checks = Local::preflight(self)?;
        if !self.installed {
            return Ok(checks);
        }
        let check = Check::new("servers", "all up");
        let down: Vec<String> = self
            .status()?
            .into_iter()
            .filter(|component| component.state != "up")
            .map(|component| format!("{} is {}", component.name, component.state))
            .collect();
        checks.push(if down.is_empty() {
            check.found("all up")
        } else {
            check.missing(down.join(", "), "cargo xtask start")
        });
        let check = Check::new("logs", "no known problem in what the servers print");
        let mut found = Vec::new();
        let mut hints = Vec::new();
        for server in self.manifest.chosen(self.settings.rekor) {
            let Some(record) = process::running(&self.dir, &server.name)? else {
                continue;
            };
            for line in process::last_lines(&self.dir, &record, 40) {
                let fail = problems::explain(not_so("").tail(vec![line]));
                let what = format!("{}: {}", server.name, fail.what);
                if fail.known && !found.contains(&what) {
                    found.push(what);
                    hints.extend(fail.hints);
                }
            }
        }
        checks.push(if found.is_empty() {
            check.found("none")
        } else {
            check
                .missing(found.join("; "), hints.join("; "))
                .optional("it may be over")
        });
        Ok(checks)
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
