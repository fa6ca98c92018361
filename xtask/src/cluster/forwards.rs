//! The way from this machine into the cluster: port-forwards, kept as processes
//! like the servers of the local target. Those of `start` stay until `stop`;
//! those of one command end with it.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use super::Cluster;
use super::steps::{HaltForward, LaunchForward};
use crate::exec::interrupt::{self, Watch};
use crate::exec::{Outputs, resolve};
use crate::fail::{Fail, broken};
use crate::http::Server;
use crate::local::process;
use crate::plan::{Plan, Ready, Step};
use crate::problems;
use crate::state;
use crate::words;

/// How long a forward may take until it listens.
const READY: Duration = Duration::from_secs(20);

/// A Service of the cluster that this machine uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward {
    /// The word that commands take.
    pub name: &'static str,
    /// The offset of its port from the lowest.
    offset: u16,
    /// Where the Service is.
    namespace: &'static str,
    /// Its name.
    service: &'static str,
    /// Its port.
    port: u16,
}

/// Fulcio, Rekor and the registry.
pub const FORWARDS: [Forward; 3] = [
    Forward {
        name: "fulcio",
        offset: 0,
        namespace: "fulcio-system",
        service: "fulcio-server",
        port: 80,
    },
    Forward {
        name: "rekor",
        offset: 1,
        namespace: "rekor-system",
        service: "rekor-server",
        port: 80,
    },
    Forward {
        name: "registry",
        offset: 2,
        namespace: "default",
        service: "registry",
        port: 443,
    },
];

impl Forward {
    /// The forward of this name.
    ///
    /// # Errors
    /// Where there is none; the names there are become the hint.
    pub fn named(name: &str) -> Result<Forward> {
        let found = FORWARDS.into_iter().find(|forward| forward.name == name);
        Ok(found.ok_or_else(|| {
            let names = FORWARDS.map(|forward| forward.name).join(", ");
            broken(format!("there is no forward named {name:?}"))
                .hint(format!("those of this target are: {names}"))
        })?)
    }
}

/// A forward that lasts for one command: where it listens, and under which name it
/// is remembered.
#[derive(Debug, Clone)]
pub struct Passage {
    /// What it leads to.
    pub forward: Forward,
    /// Names the process.
    pub name: String,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    /// Whether it was there before.
    pub stays: bool,
}

/// Keeps a passage open, and this process alive for closing it.
pub struct Held {
    cluster: Cluster,
    passage: Passage,
    _watch: Watch,
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.passage.stays {
            // It is remembered where this fails, so `stop` ends it.
            let _ = process::halt(&self.cluster.dir, &self.passage.name, &[]);
        }
    }
}

impl Cluster {
    /// The port on which a lasting forward listens.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub fn forward_port(&self, forward: Forward) -> Result<u16> {
        Ok(self.settings()?.port_base + forward.offset)
    }

    fn forward_words(&self, forward: Forward, port: u16) -> Result<Vec<String>> {
        let command = self.kubectl(words![
            "port-forward",
            "--namespace",
            forward.namespace,
            "--address",
            "127.0.0.1",
            format!("service/{}", forward.service),
            format!("{port}:{}", forward.port)
        ])?;
        resolve(&command.words, &Outputs::new())
    }

    /// The step that opens a passage.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub fn open_step(&self, passage: &Passage) -> Result<Step> {
        let Forward { name, .. } = passage.forward;
        let address = format!("tcp://127.0.0.1:{}", passage.port);
        let argv = self.forward_words(passage.forward, passage.port)?;
        let launch = LaunchForward {
            component: passage.name.clone(),
            words: argv.clone(),
        };
        let (dir, process_name, at) = (self.dir.clone(), passage.name.clone(), address.clone());
        Ok(Step::new(
            format!("forward-{name}"),
            format!(
                "forward 127.0.0.1:{} to {name} in the cluster",
                passage.port
            ),
        )
        .done(move || {
            let same = |record: &process::Record| {
                record.fingerprint == process::fingerprint(&dir, &argv, &[])
            };
            let record = process::running(&dir, &process_name)?.filter(same);
            let record = record.filter(|_| process::answers(&at));
            Ok(record.map(|record| format!("it runs as process {}", record.pid)))
        })
        .xtask(launch)
        .ready(Ready::answers(&passage.name, &address, READY)))
    }

    /// The lasting passage of a forward.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub fn lasting(&self, forward: Forward) -> Result<Passage> {
        Ok(Passage {
            forward,
            name: forward.name.to_owned(),
            port: self.forward_port(forward)?,
            stays: true,
        })
    }

    /// The passage that a command uses: the lasting one where it is open, else one
    /// of its own on a free port.
    ///
    /// # Errors
    /// Where a record is damaged or no port is free.
    pub fn passage(&self, forward: Forward) -> Result<Passage> {
        if process::running(&self.dir, forward.name)?.is_some() {
            return self.lasting(forward);
        }
        Ok(Passage {
            forward,
            name: format!("{}-{}", forward.name, std::process::id()),
            port: free_port().context("find a free port on 127.0.0.1")?,
            stays: false,
        })
    }

    /// Adds the steps that open these passages, and returns their names.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub fn push_open(&self, plan: &mut Plan, passages: &[Passage]) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for passage in passages.iter().filter(|passage| !passage.stays) {
            let step = self.open_step(passage)?.again();
            names.push(step.name.clone());
            plan.push(step);
        }
        Ok(names)
    }

    /// Adds the step that closes them once these steps have ended.
    pub fn push_close(&self, plan: &mut Plan, passages: &[Passage], ends: &[String]) {
        for passage in passages.iter().filter(|passage| !passage.stays) {
            let name = passage.forward.name;
            plan.push(
                Step::new(
                    format!("close-{name}"),
                    format!("end the forward to {name}"),
                )
                .needs(ends.iter())
                .always()
                .xtask(HaltForward {
                    component: passage.name.clone(),
                }),
            );
        }
    }

    /// Starts a forward (`cargo xtask step launch`).
    ///
    /// # Errors
    /// Where its port is taken or kubectl cannot be started.
    pub fn launch(&self, name: &str, words: &[String]) -> Result<()> {
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
        state::make_dir(&self.dir)?;
        process::launch(&process::Launch {
            dir: &self.dir,
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

    /// Opens a passage now, for as long as the answer is kept.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn reach(&self, forward: Forward) -> Result<(Server, Held)> {
        let watch = interrupt::watch();
        let passage = self.passage(forward)?;
        let held = Held {
            cluster: self.clone(),
            passage: passage.clone(),
            _watch: watch,
        };
        if !passage.stays {
            let words = self.forward_words(forward, passage.port)?;
            self.launch(&passage.name, &words)?;
            let address = format!("tcp://127.0.0.1:{}", passage.port);
            self.until_open(&passage.name, &address, READY)?;
        }
        Ok((
            Server::at(format!("http://127.0.0.1:{}", passage.port)),
            held,
        ))
    }

    /// Waits for a forward.
    ///
    /// # Errors
    /// Where it ends instead: the last words are those of kubectl.
    pub fn until_open(&self, component: &str, address: &str, within: Duration) -> Result<()> {
        process::wait(&self.dir, component, address, within)
            .map_err(|error| problems::explain(Fail::from_error(&error)).into())
    }

    /// The names of all forwards that were started and not stopped: the lasting
    /// ones, and what commands left that were ended the hard way.
    ///
    /// # Errors
    /// Where the directory of records cannot be read.
    pub fn remembered(&self) -> Result<Vec<String>> {
        let Ok(entries) = std::fs::read_dir(self.dir.join("run")) else {
            return Ok(Vec::new());
        };
        let mut names: Vec<String> = entries
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let json = path.extension()? == "json";
                json.then(|| {
                    path.file_stem()
                        .map(|name| name.to_string_lossy().into_owned())
                })?
            })
            .collect();
        names.sort();
        Ok(names)
    }

    /// The forwards of these names, all where none is named.
    pub(super) fn chosen_forwards(&self, names: &[String]) -> Result<Vec<Forward>> {
        if names.is_empty() {
            return Ok(FORWARDS.to_vec());
        }
        names.iter().map(|name| Forward::named(name)).collect()
    }
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
