//! The local target: the real servers as processes on loopback.
//!
//! ```text
//! .workshop/local/
//!   settings.json  shards.json  signatures.json
//!   keys/      private keys (mode 0600) beside their public halves
//!   config/    the servers' configuration, filled in
//!   data/      what servers keep: Rekor v2's tiles, the registry's images
//!   trust/     trusted_root.json, signing_config.json, client_trust_config.json
//!   run/       a record of each process      logs/   what it printed
//!   tuf/       cosign's TUF_ROOT             tmp/    tokens, for moments
//! ```

pub mod config;
pub mod doctor;
pub mod manifest;
pub mod plans;
pub mod platform;
pub mod preflight;
pub mod process;
mod roles;
pub mod servers;
pub mod settings;
pub mod shards;
pub mod sign;
pub mod status;
pub mod steps;
pub mod target;
pub mod trust;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;

use crate::entry::{Version, Versions};
use crate::exec::output_of;
use crate::fail::{Fail, broken};
use crate::plan::Command;
use crate::state::State;
use manifest::{Manifest, fill};
use servers::Servers;
use settings::{PORT_BASE, Settings};

/// The local target of one state directory.
#[derive(Clone)]
pub struct Local {
    /// The repository.
    pub repo: PathBuf,
    /// `.workshop/local`
    pub dir: PathBuf,
    /// What was chosen at install, or the defaults.
    pub settings: Settings,
    /// Whether the settings are on disk.
    pub installed: bool,
    /// The servers and their ports.
    pub manifest: Arc<Manifest>,
    /// The servers' programs.
    pub servers: Servers,
    /// The options that lead a `cargo xtask` to this target and state.
    pub globals: Vec<String>,
}

impl Local {
    /// The target as its state directory and the repository describe it.
    ///
    /// # Errors
    /// Where either is damaged.
    pub fn open(repo: &Path, state: &State, globals: Vec<String>) -> Result<Local> {
        let settings = Settings::read(&state.path("local"))?;
        Local::with(repo, state, globals, settings)
    }

    /// The same for its removal, which must not fail for what is to be removed.
    ///
    /// # Errors
    /// Where the repository is damaged.
    pub fn open_to_remove(repo: &Path, state: &State, globals: Vec<String>) -> Result<Local> {
        let settings = Settings::read(&state.path("local")).unwrap_or_default();
        Local::with(repo, state, globals, settings)
    }

    fn with(
        repo: &Path,
        state: &State,
        globals: Vec<String>,
        settings: Option<Settings>,
    ) -> Result<Local> {
        Ok(Local {
            repo: repo.to_owned(),
            installed: settings.is_some(),
            settings: settings.unwrap_or_else(|| Settings::new(PORT_BASE, Versions::V2)),
            manifest: Arc::new(Manifest::read(repo)?),
            servers: Servers::of(repo)?,
            dir: state.path("local"),
            globals,
        })
    }

    /// Fails where nothing is installed.
    ///
    /// # Errors
    /// Exactly then.
    pub fn require_installed(&self) -> Result<()> {
        if self.installed {
            return Ok(());
        }
        Err(broken("no Sigstore is installed here yet")
            .hint("cargo xtask install")
            .into())
    }

    /// An address on loopback: `127.0.0.1:17810`.
    ///
    /// # Errors
    /// Where the manifest names no such port.
    pub fn address(&self, port: &str) -> Result<String> {
        Ok(format!(
            "127.0.0.1:{}",
            self.manifest.port(port, &self.settings)?
        ))
    }

    /// Where a version of Rekor is read from: the API of v1, the tiles of v2.
    ///
    /// # Errors
    /// Where this version does not run here.
    pub fn rekor_address(&self, version: Version) -> Result<String> {
        if !self.settings.rekor.has(version) {
            return Err(self.other_rekor(version).into());
        }
        Ok(format!(
            "http://{}",
            self.address(if version == Version::V1 {
                "rekor-v1"
            } else {
                "tiles"
            })?
        ))
    }

    /// The command line of a server.
    ///
    /// # Errors
    /// Where a placeholder stands for nothing.
    pub fn server_words(&self, server: &manifest::Server) -> Result<Vec<String>> {
        let line = fill(&server.command, &self.manifest.variables(&self.settings)?)?;
        let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        if let Some(program) = words.first_mut() {
            *program = self.servers.program(program).to_string_lossy().into_owned();
        }
        Ok(words)
    }

    /// Where a server answers once it is ready.
    ///
    /// # Errors
    /// Where a placeholder stands for nothing.
    pub fn server_ready(&self, server: &manifest::Server) -> Result<String> {
        fill(&server.ready, &self.manifest.variables(&self.settings)?)
    }

    /// The server of this name, which this installation runs.
    ///
    /// # Errors
    /// Where there is none, or where it belongs to a Rekor that was not chosen.
    pub fn chosen_server(&self, name: &str) -> Result<&manifest::Server> {
        let server = self.manifest.server(name)?;
        match server.rekor {
            Some(version) if !self.settings.rekor.has(version) => {
                Err(self.other_rekor(version).into())
            }
            _ => Ok(server),
        }
    }

    fn other_rekor(&self, asked: Version) -> Fail {
        let (asked, runs) = (asked.name(), self.settings.rekor.name());
        broken(format!("this installation runs Rekor {runs}, not {asked}"))
            .hint("run both: cargo xtask install --rekor both")
    }

    /// The ports of a server, the main one first.
    ///
    /// # Errors
    /// Where the manifest names none of that name.
    pub fn server_ports(&self, server: &manifest::Server) -> Result<Vec<u16>> {
        let names = std::iter::once(&server.port).chain(&server.also);
        names
            .map(|name| self.manifest.port(name, &self.settings))
            .collect()
    }

    /// Checks that no key is gone that something depends on: a new one in its
    /// place would leave what the old one signed without a proof.
    ///
    /// # Errors
    /// Where one is; the sentence names it.
    pub fn check_keys(&self) -> Result<()> {
        let mut keys = Vec::new();
        if self.installed {
            keys.extend(
                (1..=self.settings.fulcio.len())
                    .map(|n| (format!("keys/fulcio-{n}.pem"), "certificates")),
            );
            keys.extend(
                (1..=self.settings.timestamp.len())
                    .map(|n| (format!("keys/timestamp-{n}.pem"), "timestamps")),
            );
        }
        if self.dir.join("data/rekor-v2/checkpoint").exists() {
            keys.push(("keys/rekor-v2.pub".to_owned(), "checkpoints"));
        }
        match keys
            .into_iter()
            .find(|(key, _)| !self.dir.join(key).exists())
        {
            None => Ok(()),
            Some((key, signed)) => Err(broken(format!(
                "{key} is gone, and there are {signed} that it signed"
            ))
            .hint("put it and the private key beside it back from a copy")
            .hint("or begin anew: cargo xtask uninstall --yes --keep-tools")
            .into()),
        }
    }

    /// Makes the keys that are missing.
    ///
    /// # Errors
    /// Where one that is there is damaged.
    pub fn make(&self, keys: &[(&str, &str)]) -> Result<()> {
        output_of(&self.make_command(keys), None).map(drop)
    }

    /// The command that makes the keys that are missing.
    pub fn make_command(&self, keys: &[(&str, &str)]) -> Command {
        let names = keys
            .iter()
            .flat_map(|(kind, prefix)| [(*kind).into(), (*prefix).into()]);
        let words = [self.servers.program("loopback").into(), "make".into()]
            .into_iter()
            .chain(names)
            .collect();
        Command::new(words).dir(&self.dir)
    }

    /// Where a Sigstore client keeps its own files, instead of the home
    /// directory.
    pub fn tuf_root(&self) -> PathBuf {
        self.dir.join("tuf")
    }
}
