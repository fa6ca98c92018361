//! The cluster targets: the workshop proper, on minikube or on the cluster that
//! kubectl's context names.
//!
//! ```text
//! .workshop/minikube/  or  .workshop/cluster/
//!   settings.json  signatures.json
//!   charts/    what helm fetched       values/    the overlays, a file a chart
//!   trust/     trusted_root.json, signing_config.json, registry.pem, …
//!   run/  logs/   the forwards to the cluster's servers
//!   tuf/       cosign's TUF_ROOT       tmp/       Jobs and tokens, for moments
//! ```

mod cert_manager;
mod charts;
mod choice;
mod conditions;
mod copies;
mod database;
mod discovery;
mod facts;
mod follow;
mod forwards;
mod helm;
mod images;
mod install;
mod job_manifest;
mod kubectl;
mod minikube;
mod namespaces;
mod object;
pub mod pins;
mod probes;
mod roles;
mod rotation;
pub mod scaffold_release;
pub mod servers;
mod settings;
mod shards;
mod sign_addresses;
mod signing;
mod single_writer;
mod status;
pub(crate) mod steps;
mod target;
mod tile_values;
mod timestamp_authority;
mod trust;
mod trusted_keys;
mod tuf;
mod uninstall;
pub mod yaml;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Result;

use crate::fail::{Fail, broken};
use crate::state::{self, State};
use crate::target::TargetKind;
use charts::Charts;
use forwards::Forwards;
use helm::Helm;
use kubectl::{Kubectl, current_context};
use minikube::Minikube;
pub use object::LABEL;
use pins::Pins;
pub(crate) use pins::component_pins;
use settings::ClusterSettings;

/// The context and profile of a minikube where none is named.
const MINIKUBE: &str = "minikube";

/// A cluster target of one state directory.
#[derive(Clone)]
pub struct Cluster {
    /// The repository.
    pub(crate) repo: PathBuf,
    /// Minikube or any cluster.
    pub(crate) kind: TargetKind,
    /// `.workshop/minikube` or `.workshop/cluster`
    pub(crate) dir: PathBuf,
    /// What was chosen, or the defaults; why not, where no cluster is known. Empty until
    /// a command asks, where only kubectl knows which cluster it is.
    settings: OnceLock<Result<ClusterSettings, Fail>>,
    /// Whether its context was typed.
    pub(crate) named: bool,
    /// Whether the settings are on disk.
    pub(crate) installed: bool,
    /// The options that lead a `cargo xtask` to this state.
    options: Vec<String>,
}

impl Cluster {
    /// The target as its state directory describes it; `context` is the one that
    /// was typed. No program runs.
    pub fn open(
        repo: &Path,
        state: &State,
        kind: TargetKind,
        context: Option<&str>,
        options: &[String],
    ) -> Result<Cluster> {
        let dir = state.path(kind.name());
        let kept: Option<ClusterSettings> = state::read_json(&dir.join("settings.json"))?;
        let installed = kept.is_some();
        let trusted = dir.join("trust").exists();
        let settings = match (kept, context) {
            // A name that was mistyped led to nothing that could be lost.
            (Some(kept), Some(typed)) if kept.context != typed && trusted => {
                Some(Err(belongs_to(&kept.context, typed)))
            }
            (Some(kept), Some(typed)) if kept.context != typed => {
                Some(ClusterSettings::on_free_ports(typed, &dir))
            }
            (Some(kept), _) => Some(Ok(kept)),
            (None, Some(typed)) => Some(ClusterSettings::on_free_ports(typed, &dir)),
            (None, None) if kind == TargetKind::Minikube => {
                Some(ClusterSettings::on_free_ports(MINIKUBE, &dir))
            }
            (None, None) => None,
        };
        Ok(Cluster {
            repo: repo.to_owned(),
            kind,
            dir,
            settings: settings.map_or_else(OnceLock::new, OnceLock::from),
            named: context.is_some(),
            installed,
            options: options.to_owned(),
        })
    }

    /// The settings, for which kubectl is asked for its context where none is known.
    fn settings(&self) -> Result<&ClusterSettings> {
        let known = || {
            current_context()
                .and_then(|context| ClusterSettings::on_free_ports(&context, &self.dir))
        };
        let settings = self.settings.get_or_init(known);
        settings.as_ref().map_err(|fail| fail.clone().into())
    }

    /// The same cluster with other settings.
    fn with_settings(&self, settings: ClusterSettings) -> Cluster {
        Cluster {
            settings: Ok(settings).into(),
            ..self.clone()
        }
    }

    /// The options that lead a `cargo xtask` to this target and state.
    fn globals(&self) -> Vec<String> {
        let mut globals = self.options.clone();
        // The current context may be another one when a printed command is run.
        if let Ok(settings) = self.settings()
            && !(self.kind == TargetKind::Minikube && settings.context == MINIKUBE)
        {
            globals.extend(["--context".to_owned(), settings.context.clone()]);
        }
        globals
    }

    /// Fails where nothing is installed.
    fn require_installed(&self) -> Result<()> {
        self.settings()?;
        if self.installed {
            return Ok(());
        }
        Err(broken("no Sigstore is installed on this cluster yet")
            .hint("cargo xtask install")
            .into())
    }

    /// Fails where an install has not come to its end: what signs and verifies needs
    /// the trust material.
    fn require_trust(&self) -> Result<()> {
        self.require_installed()?;
        if self.trust_file("trusted_root.json").exists() {
            return Ok(());
        }
        Err(
            broken("this installation has no trusted root yet: it is not complete")
                .hint("go on with it: cargo xtask install")
                .into(),
        )
    }

    /// The versions of everything, which are known where no cluster is.
    pub fn pins(&self) -> Result<Pins> {
        let overlay = self.settings().ok();
        let overlay = overlay.and_then(|settings| settings.versions.as_deref());
        pins::pins(&self.repo, overlay)
    }

    /// kubectl on this cluster.
    fn kubectl(&self) -> Result<Kubectl> {
        Ok(Kubectl {
            context: self.settings()?.context.clone(),
            repo: self.repo.clone(),
        })
    }

    /// helm on this cluster.
    fn helm(&self) -> Result<Helm> {
        Ok(Helm {
            context: self.settings()?.context.clone(),
        })
    }

    /// The minikube of this profile.
    fn minikube(&self) -> Result<Minikube> {
        Ok(Minikube {
            profile: self.settings()?.context.clone(),
        })
    }

    /// The charts of this installation, as the files of the repository and those that
    /// were chosen are now.
    fn charts(&self) -> Result<Charts> {
        Charts::read(&self.repo, &self.dir, self.settings()?)
    }

    /// The forwards of this installation.
    fn port_forwards(&self) -> Result<Forwards> {
        Ok(Forwards {
            kubectl: self.kubectl()?,
            dir: self.dir.clone(),
            port_base: self.settings()?.port_base,
        })
    }

    /// A file of the trust material.
    fn trust_file(&self, name: &str) -> PathBuf {
        self.dir.join("trust").join(name)
    }

    /// The values of a chart that are certificates, in JSON, which is YAML as well.
    fn certificates_file(&self, chart: &str) -> PathBuf {
        self.dir.join(format!("values/{chart}-certificates.yml"))
    }

    /// Where a Sigstore client keeps its own files, instead of the home
    /// directory.
    fn tuf_root(&self) -> PathBuf {
        self.dir.join("tuf")
    }
}

fn belongs_to(context: &str, typed: &str) -> Fail {
    broken(format!(
        "this state directory belongs to the cluster {context}, not to {typed}"
    ))
    .hint("name another state directory: --state DIR")
    .hint("or remove what is there first: cargo xtask uninstall")
    .hint("where that cluster is gone: cargo xtask uninstall --yes --from forget")
}

#[cfg(test)]
mod tests;
