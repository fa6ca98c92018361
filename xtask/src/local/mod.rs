//! The local target: the real servers as processes on loopback.
//!
//! ```text
//! .workshop/local/
//!   settings.json  signatures.json
//!   keys/      private keys (mode 0600) beside their public halves
//!   config/    the servers' configuration, filled in
//!   data/      what servers keep: the logs, images, the TUF repository
//!   trust/     trusted_root.json, signing_config.json, client_trust_config.json,
//!              root.json, with which TUF clients begin, registry/ca.crt
//!   run/       a record of each process      logs/   what it printed
//!   offline/   the key of the TUF root role, which can be kept elsewhere
//!   tuf/       cosign's TUF_ROOT             tmp/    tokens, for moments
//! ```

mod addresses;
pub mod build;
mod claims;
pub(crate) mod config;
pub(crate) mod doctor;
mod environment;
mod facts;
pub(crate) mod former;
mod keys;
mod lost_logs;
pub mod manifest;
mod offline_root;
mod own_server;
pub(crate) mod pack;
mod pinned;
pub(crate) mod plans;
pub mod platform;
pub(crate) mod ports;
pub(crate) mod preflight;
pub mod process;
mod process_record;
mod publish;
mod roles;
pub(crate) mod settings;
mod shards;
pub(crate) mod sign;
pub(crate) mod status;
pub(crate) mod steps;
pub(crate) mod target;
pub(crate) mod trust;
pub(crate) mod wait;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;

use crate::entry::Versions;
use crate::fail::broken;
use crate::state::State;
use build::ServerBuild;
use manifest::Manifest;

pub(crate) use claims::Claim;
pub(crate) use pinned::pinned;
use settings::Settings;

/// The local target of one state directory.
#[derive(Clone)]
pub(crate) struct Local {
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
    pub(crate) fn open(repo: &Path, state: &State, globals: Vec<String>) -> Result<Local> {
        let dir = state.path("local");
        let settings = Settings::read(&dir)?;
        let settings = settings.map(|settings| former::carried_over(settings, &dir));
        Local::with(repo, state, globals, settings.transpose()?)
    }

    /// Opens the target in order to remove it; damaged settings must not prevent that.
    pub(crate) fn open_to_remove(
        repo: &Path,
        state: &State,
        globals: Vec<String>,
    ) -> Result<Local> {
        let settings = Settings::read(&state.path("local")).unwrap_or_default();
        Local::with(repo, state, globals, settings)
    }

    fn with(
        repo: &Path,
        state: &State,
        globals: Vec<String>,
        settings: Option<Settings>,
    ) -> Result<Local> {
        let dir = state.path("local");
        Ok(Local {
            repo: repo.to_owned(),
            installed: settings.is_some(),
            settings: match settings {
                Some(settings) => settings,
                None => Settings::new(ports::base(&dir, 0)?, Versions::V2),
            },
            build: ServerBuild::of(repo)?,
            manifest: Arc::new(Manifest::read(repo)?),
            dir,
            globals,
        })
    }

    /// Fails where nothing is installed.
    pub(crate) fn require_installed(&self) -> Result<()> {
        if self.installed {
            return Ok(());
        }
        Err(broken("no Sigstore is installed here yet")
            .hint("cargo xtask install")
            .into())
    }

    /// What this installation takes that others may want.
    pub(crate) fn claim(&self) -> Claim {
        Claim {
            dir: self.dir.clone(),
            port_base: self.settings.port_base,
            servers: Some(self.build.dir().to_owned()),
        }
    }

    /// Where a Sigstore client keeps its own files, instead of the home
    /// directory.
    pub(crate) fn tuf_root(&self) -> PathBuf {
        self.dir.join("tuf")
    }
}

#[cfg(test)]
mod tests {
    use super::facts::Facts;
    use super::*;
    use crate::plan::Plan;

    /// A machine that plans can be built for; nothing of it is there.
    pub(crate) struct Machine {
        pub local: Local,
        pub facts: Facts,
        _temp: tempfile::TempDir,
    }

    impl Machine {
        /// The servers are built, and nothing is installed.
        pub(crate) fn built() -> Machine {
            let temp = tempfile::tempdir().unwrap();
            let repo = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
            let state = State::open(temp.path().join("state")).unwrap();
            let mut local = Local::open(repo, &state, Vec::new()).unwrap();
            // Whoever has them on the machine of the test.
            local.settings.port_base = ports::PORT_BASE;
            local.build = local.build.in_dir(temp.path().join("servers"));
            Machine {
                local,
                facts: Facts {
                    archives: 3,
                    ..Facts::default()
                },
                _temp: temp,
            }
        }
    }

    /// The names of the steps, in their order.
    pub(crate) fn names(plan: &Plan) -> Vec<String> {
        plan.steps.iter().map(|step| step.name.clone()).collect()
    }

    #[test]
    fn gathering_facts_of_nothing_finds_nothing() {
        let machine = Machine::built();
        let facts = machine.local.facts().unwrap();
        assert!(facts.started.is_empty() && facts.running.is_empty() && !facts.trusted);
        assert!(facts.archives > 100);
    }
}
