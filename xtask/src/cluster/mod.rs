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

pub mod cert_manager;
pub mod choice;
pub mod conditions;
pub mod doctor;
pub mod forwards;
pub mod images;
pub mod jobs;
pub mod objects;
pub mod plans;
pub mod preflight;
pub mod releases;
mod roles;
pub mod scaffold;
pub mod settings;
pub mod sign;
pub mod status;
pub mod steps;
pub mod target;
pub mod troubles;
pub mod trust;
pub mod uninstall;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::exec::output_of;
use crate::fail::{Fail, broken};
use crate::plan::{Command, Word};
use crate::state::{self, State};
use crate::target::TargetKind;
use crate::words;
use settings::{Pins, Settings};

/// The context and profile of a minikube where none is named.
const MINIKUBE: &str = "minikube";

/// How long kubectl waits for the API server to answer one request.
const REQUEST: &str = "--request-timeout=20s";

/// The label of everything that the workshop itself applies.
pub const LABEL: &str = "app.kubernetes.io/part-of=sigstore-workshop";

/// A cluster target of one state directory.
#[derive(Clone)]
pub struct Cluster {
    /// The repository.
    pub repo: PathBuf,
    /// Minikube or any cluster.
    pub kind: TargetKind,
    /// `.workshop/minikube` or `.workshop/cluster`
    pub dir: PathBuf,
    /// What was chosen, or the defaults; why not, where no cluster is known.
    pub settings: Result<Settings, Fail>,
    /// Whether its context was typed.
    pub named: bool,
    /// Whether the settings are on disk.
    pub installed: bool,
    /// The options that lead a `cargo xtask` to this target and state.
    pub globals: Vec<String>,
}

impl Cluster {
    /// The target as its state directory describes it; `context` is the one that
    /// was typed.
    ///
    /// # Errors
    /// Where the state is damaged.
    pub fn open(
        repo: &Path,
        state: &State,
        kind: TargetKind,
        context: Option<&str>,
        globals: &[String],
    ) -> Result<Cluster> {
        let dir = state.path(kind.name());
        let kept: Option<Settings> = state::read_json(&dir.join("settings.json"))?;
        let installed = kept.is_some();
        let trusted = dir.join("trust").exists();
        let settings = match (kept, context) {
            // A name that was mistyped led to nothing that could be lost.
            (Some(kept), Some(typed)) if kept.context != typed && !trusted => {
                Ok(Settings::new(typed))
            }
            (Some(kept), Some(typed)) if kept.context != typed => Err(broken(format!(
                "this state directory belongs to the cluster {}, not to {typed}",
                kept.context
            ))
            .hint("name another state directory: --state DIR")
            .hint("or remove what is there first: cargo xtask uninstall")
            .hint("where that cluster is gone: cargo xtask uninstall --yes --from forget")),
            (Some(kept), _) => Ok(kept),
            (None, Some(typed)) => Ok(Settings::new(typed)),
            (None, None) if kind == TargetKind::Minikube => Ok(Settings::new(MINIKUBE)),
            (None, None) => current_context().map(|context| Settings::new(&context)),
        };
        let mut globals = globals.to_owned();
        // The current context may be another one when a printed command is run.
        if let Ok(settings) = &settings
            && !(kind == TargetKind::Minikube && settings.context == MINIKUBE)
        {
            globals.extend(["--context".to_owned(), settings.context.clone()]);
        }
        Ok(Cluster {
            repo: repo.to_owned(),
            kind,
            dir,
            named: context.is_some(),
            settings,
            installed,
            globals,
        })
    }

    /// The settings.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub fn settings(&self) -> Result<&Settings> {
        self.settings.as_ref().map_err(|fail| fail.clone().into())
    }

    /// Fails where nothing is installed.
    ///
    /// # Errors
    /// Exactly then.
    pub fn require_installed(&self) -> Result<()> {
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
    ///
    /// # Errors
    /// Exactly then.
    pub fn require_trust(&self) -> Result<()> {
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

    /// The pins.
    ///
    /// # Errors
    /// Where a file of them is damaged.
    pub fn pins(&self) -> Result<Pins> {
        let overlay = self.settings.as_ref().ok();
        settings::pins(
            &self.repo,
            overlay.and_then(|settings| settings.versions.as_deref()),
        )
    }

    /// A call of kubectl on this cluster.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub fn kubectl(&self, words: Vec<Word>) -> Result<Command> {
        let context = words!["--context", &self.settings()?.context];
        Ok(Command::new([words!["kubectl"], words, context].concat()))
    }

    /// The same for a question, which must be answered soon.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub fn ask(&self, words: Vec<Word>) -> Result<Command> {
        self.kubectl([words, words![REQUEST]].concat())
    }

    /// A call of helm on this cluster.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub fn helm(&self, words: Vec<Word>) -> Result<Command> {
        let context = words!["--kube-context", &self.settings()?.context];
        Ok(Command::new([words!["helm"], words, context].concat()))
    }

    /// A call of minikube on this profile.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub fn minikube(&self, words: Vec<Word>) -> Result<Command> {
        let profile = words!["--profile", &self.settings()?.context];
        Ok(Command::new([words!["minikube"], words, profile].concat()))
    }

    /// What kubectl prints as JSON.
    ///
    /// # Errors
    /// Where it fails or prints something else.
    pub fn read(&self, words: Vec<Word>) -> Result<Value> {
        let text = output_of(&self.ask(words)?, None)?;
        json(&text)
    }

    /// An object or, for a kind, the list of them; `None` where there is none of that
    /// name, or not even of that kind. The namespace is empty for what has none.
    ///
    /// # Errors
    /// Where the cluster does not answer or refuses.
    pub fn find(&self, namespace: &str, object: &str) -> Result<Option<Value>> {
        if namespace.is_empty() {
            return self.find_with(object, &[]);
        }
        self.find_with(object, &["--namespace", namespace])
    }

    /// The same with other options of `kubectl get`.
    ///
    /// # Errors
    /// As [`Cluster::find`].
    pub fn find_with(&self, object: &str, options: &[&str]) -> Result<Option<Value>> {
        let mut words = words!["get", object];
        words.extend(options.iter().map(|option| Word::from(*option)));
        words.extend(words!["--ignore-not-found", "--output=json"]);
        let text = match output_of(&self.ask(words)?, None) {
            Ok(text) => text,
            Err(error) => {
                let fail = Fail::from_error(&error);
                let unknown = "the server doesn't have a resource type";
                if fail.says(unknown) {
                    return Ok(None);
                }
                return Err(error);
            }
        };
        if text.trim().is_empty() {
            return Ok(None);
        }
        json(&text).map(Some)
    }

    /// Applies an object (server-side), handed over on standard input.
    ///
    /// # Errors
    /// Where the cluster refuses it.
    pub fn apply(&self, object: &Value) -> Result<()> {
        let command = self.kubectl(words![
            "apply",
            APPLY[0],
            APPLY[1],
            APPLY[2],
            "--filename",
            "-"
        ])?;
        output_of(&command, Some(object.to_string().as_bytes())).map(drop)
    }

    /// A manifest of the repository.
    pub fn manifest(&self, name: &str) -> PathBuf {
        self.repo.join(name)
    }

    /// Where a Sigstore client keeps its own files, instead of the home
    /// directory.
    pub fn tuf_root(&self) -> PathBuf {
        self.dir.join("tuf")
    }
}

/// What kubectl printed, which is always an object.
fn json(text: &str) -> Result<Value> {
    let value: Value = serde_json::from_str(text).context("kubectl printed no JSON")?;
    if value.is_object() {
        return Ok(value);
    }
    Err(broken("kubectl printed no object").into())
}

/// How objects are applied: the server merges, and remembers who set what.
pub const APPLY: [&str; 3] = ["--server-side", "--field-manager", "sigstore-workshop"];

/// The context that kubectl uses where none is named.
fn current_context() -> Result<String, Fail> {
    let command = Command::new(words!["kubectl", "config", "current-context"]);
    match output_of(&command, None) {
        Ok(name) if !name.trim().is_empty() => Ok(name.trim().to_owned()),
        Ok(_) => Err(no_context()),
        Err(error) => {
            let fail = Fail::from_error(&error);
            let not_set = fail.says("current-context is not set");
            Err(if not_set { no_context() } else { fail })
        }
    }
}

fn no_context() -> Fail {
    broken("kubectl has no current context, so no cluster is known")
        .hint("see which there are: kubectl config get-contexts")
        .hint("name one: --context NAME, or start one: cargo xtask minikube")
}
