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

mod addresses;
pub mod build;
pub mod config;
pub mod doctor;
mod keys;
pub mod manifest;
pub mod plans;
pub mod platform;
pub mod preflight;
pub mod process;
mod roles;
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

use crate::entry::Versions;
use crate::fail::broken;
use crate::state::State;
use build::ServerBuild;
use manifest::Manifest;

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
    pub build: ServerBuild,
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
            build: ServerBuild::of(repo)?,
            manifest: Arc::new(Manifest::read(repo)?),
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

    /// Where a Sigstore client keeps its own files, instead of the home
    /// directory.
    pub fn tuf_root(&self) -> PathBuf {
        self.dir.join("tuf")
    }
}
