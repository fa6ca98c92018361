//! The way from this machine into the cluster: port-forwards, kept as processes like
//! the servers of the local target. Those of `start` stay until `stop`; those of one
//! command end with it.

mod process;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use super::kubectl::Kubectl;
use super::servers::{ClusterServer, forwarded, forwarded_named};
use crate::entry::Versions;
use crate::exec::interrupt::{self, Watch};
use crate::exec::{Outputs, resolve};
use crate::http::Server;
use crate::local::process as local;
use crate::words;
use process::free_port;
pub(crate) use process::{launch, leads, remembered, until_open};

/// How long a forward may take until it listens.
pub(super) const WITHIN: Duration = Duration::from_secs(20);

/// A forward: what it leads to, where it listens, and under which name it is
/// remembered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PortForward {
    pub(crate) server: &'static ClusterServer,
    /// The port on 127.0.0.1.
    pub(crate) port: u16,
    /// Whether it stays until `stop`.
    pub(crate) persistent: bool,
}

/// Keeps a forward open, and closes it at the end.
pub(crate) struct OpenForward {
    dir: PathBuf,
    forward: PortForward,
    _watch: Watch,
}

impl Drop for OpenForward {
    fn drop(&mut self) {
        if !self.forward.persistent {
            // It is remembered where this fails, so `stop` ends it.
            let _ = local::halt(&self.dir, &self.forward.process(), &[]);
        }
    }
}

impl PortForward {
    /// The name of its process.
    pub(crate) fn process(&self) -> String {
        let name = self.server.name;
        if self.persistent {
            return name.to_owned();
        }
        // A command may have several to one server.
        format!("{name}-{}", self.port)
    }

    /// Where it listens: `127.0.0.1:17850`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where it answers, as a URL.
    pub(super) fn url(&self) -> String {
        format!("tcp://{}", self.address())
    }
}

/// The forwards of one installation.
#[derive(Debug, Clone)]
pub(crate) struct Forwards {
    pub(super) kubectl: Kubectl,
    /// The directory of the target.
    pub(super) dir: PathBuf,
    /// The lowest port.
    pub(super) port_base: u16,
}

impl Forwards {
    /// The forward that `start` opens.
    pub(crate) fn persistent(&self, server: &'static ClusterServer) -> PortForward {
        PortForward {
            server,
            port: self.port_base + server.offset().unwrap_or_default(),
            persistent: true,
        }
    }

    /// The forward that a command uses: the persistent one where it is open and leads
    /// somewhere, otherwise a new one on a free port.
    pub(crate) fn for_command(&self, server: &'static ClusterServer) -> Result<PortForward> {
        let persistent = self.persistent(server);
        if local::running(&self.dir, server.name)?.is_some() && leads(persistent.port) {
            return Ok(persistent);
        }
        Ok(PortForward {
            server,
            port: free_port().context("find a free port on 127.0.0.1")?,
            persistent: false,
        })
    }

    /// The command line that keeps a forward open.
    pub(super) fn command_line(&self, forward: &PortForward) -> Result<Vec<String>> {
        let service = forward.server.service.as_ref();
        let (name, port) = service.map_or(("", 0), |service| (service.name, service.port));
        let mut words = words!["port-forward", "--namespace", forward.server.namespace];
        words.extend(words![
            "--address",
            "127.0.0.1",
            format!("service/{name}"),
            format!("{}:{port}", forward.port)
        ]);
        resolve(&self.kubectl.command(words).words, &Outputs::new())
    }

    /// Opens the way to a server now, for as long as the answer is kept.
    pub(crate) fn open_for(&self, server: &'static ClusterServer) -> Result<(Server, OpenForward)> {
        let watch = interrupt::watch();
        let forward = self.for_command(server)?;
        let open = OpenForward {
            dir: self.dir.clone(),
            forward,
            _watch: watch,
        };
        if !forward.persistent {
            let process = forward.process();
            launch(&self.dir, &process, &self.command_line(&forward)?)?;
            until_open(&self.dir, &process, &forward.url(), WITHIN)?;
        }
        Ok((Server::at(format!("http://{}", forward.address())), open))
    }
}

/// The servers of these names with these versions of Rekor, all that can be reached where
/// none is named.
pub(crate) fn chosen(names: &[String], rekor: Versions) -> Result<Vec<&'static ClusterServer>> {
    if names.is_empty() {
        return Ok(forwarded(rekor).collect());
    }
    let named = names.iter().map(|name| forwarded_named(name, rekor));
    named.collect()
}

/// The name of the server to which the process of this name leads.
pub(crate) fn server_of(process: &str) -> &str {
    match process.rsplit_once('-') {
        Some((server, number)) if number.bytes().all(|c| c.is_ascii_digit()) => server,
        _ => process,
    }
}
