//! The way from this machine into the cluster: port-forwards, kept as processes like
//! the servers of the local target. Those of `start` stay until `stop`; those of one
//! command end with it.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use super::kubectl::Kubectl;
use super::servers::{ClusterServer, forwarded, forwarded_named};
use crate::exec::interrupt::{self, Watch};
use crate::exec::{Outputs, resolve};
use crate::fail::{Fail, broken};
use crate::http::Server;
use crate::local::process;
use crate::problems;
use crate::state;
use crate::words;

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

/// Keeps a forward open, and this process alive for closing it.
pub(crate) struct OpenForward {
    dir: PathBuf,
    forward: PortForward,
    _watch: Watch,
}

impl Drop for OpenForward {
    fn drop(&mut self) {
        if !self.forward.persistent {
            // It is remembered where this fails, so `stop` ends it.
            let _ = process::halt(&self.dir, &self.forward.process(), &[]);
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
        format!("{name}-{}", std::process::id())
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

    /// The forward that a command uses: the persistent one where it is open, else one of
    /// its own on a free port.
    pub(crate) fn for_command(&self, server: &'static ClusterServer) -> Result<PortForward> {
        if process::running(&self.dir, server.name)?.is_some() {
            return Ok(self.persistent(server));
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

/// Starts the process of a forward.
pub(crate) fn launch(dir: &Path, name: &str, words: &[String]) -> Result<()> {
    // What gets kubectl into a cluster may need any variable; it runs elsewhere, so
    // a relative path of its configuration would lead nowhere.
    let absolute = |paths: &str| {
        let paths =
            std::env::split_paths(paths).map(|path| std::path::absolute(&path).unwrap_or(path));
        std::env::join_paths(paths).ok()?.into_string().ok()
    };
    let env: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .map(|(name, value)| {
            let path = (name == "KUBECONFIG").then(|| absolute(&value)).flatten();
            (name, path.unwrap_or(value))
        })
        .collect();
    let number = |text: &str| text.parse::<u16>().ok();
    let port = words
        .iter()
        .filter_map(|word| word.split_once(':'))
        .find_map(|(here, there)| number(here).filter(|_| number(there).is_some()))
        .ok_or_else(|| broken("a forward without a port"))?;
    state::make_dir(dir)?;
    process::launch(&process::Launch {
        dir,
        name,
        words,
        env: &env,
        uses: &[],
        ports: &[port],
        ready: &format!("tcp://127.0.0.1:{port}"),
        version: None,
    })
    .map(drop)
}

/// Waits for a forward. Where it ends instead, the last words are those of kubectl.
pub(crate) fn until_open(dir: &Path, name: &str, url: &str, within: Duration) -> Result<()> {
    process::wait(dir, name, url, within)
        .map_err(|error| problems::explain(Fail::from_error(&error)).into())
}

/// The names of the processes of all forwards that were started and not stopped: the
/// persistent ones, and what commands left that were killed.
pub(crate) fn remembered(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir.join("run")) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let is_record = path.extension()? == "json";
            is_record.then(|| Some(path.file_stem()?.to_string_lossy().into_owned()))?
        })
        .collect();
    names.sort();
    names
}

/// The servers of these names, all that can be reached where none is named.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<&'static ClusterServer>> {
    if names.is_empty() {
        return Ok(forwarded().collect());
    }
    names.iter().map(|name| forwarded_named(name)).collect()
}

/// A port on which nobody listens, another one each time: nobody listens yet on those
/// that this process found before.
fn free_port() -> std::io::Result<u16> {
    static FOUND: Mutex<Vec<u16>> = Mutex::new(Vec::new());
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let mut held = Vec::new();
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        if !found.contains(&port) {
            found.push(port);
            return Ok(port);
        }
        // Held, so that the next one is another.
        held.push(listener);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The ports of two forwards are looked for before either listens.
    #[test]
    fn no_free_port_is_found_twice() {
        let ports: BTreeSet<u16> = (0..2000).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 2000);
    }
}
