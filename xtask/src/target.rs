//! A target: a place where a private Sigstore runs.

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::artifact::{Artifact, Signature};
use crate::cli::{ClusterOptions, InstallOptions, PreflightOptions};
use crate::entry::Version;
use crate::fail::Fail;
use crate::http::Server;
use crate::plan::run::Host;
use crate::plan::{Command, Plan};
use crate::preflight::Check;

/// One component.
#[derive(Debug, Serialize)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// `up`, `silent` (it runs but does not answer), `ended` (it was started
    /// and runs no more) or `stopped` (in a cluster: it is not there).
    pub state: &'static str,
    /// Where it listens; in a cluster, its namespace.
    pub address: String,
    /// Its process.
    pub pid: Option<u32>,
    /// The version of its Go module.
    pub version: Option<String>,
    /// Since when it runs, RFC 3339.
    pub since: Option<String>,
    /// Its memory in KiB.
    pub memory_kib: Option<u64>,
    /// How many entries its log holds.
    pub log_size: Option<u64>,
    /// When its certificate ends, RFC 3339.
    pub certificate_ends: Option<String>,
    /// What to know about it.
    pub warning: Option<String>,
}

/// Where the log lines of components come from.
pub enum Logs {
    /// Files, by component.
    Files(Vec<(String, PathBuf)>),
    /// Programs that print them, by component; they take `--tail=N` and
    /// `--follow`.
    Programs(Vec<(String, Command)>),
}

/// A server that can be asked.
pub struct Reached {
    /// Where.
    pub server: Server,
    /// What must be kept while it is asked: the forward to it.
    pub held: Option<Box<dyn std::any::Any>>,
}

/// Where cosign runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// Where the target does it: in the cluster, or on this machine.
    Target,
    /// On this machine.
    Here,
}

impl Where {
    /// What `--from-host` says.
    pub fn asked(from_host: bool) -> Where {
        if from_host {
            Where::Here
        } else {
            Where::Target
        }
    }
}

/// A part of an install on a cluster: a step of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A cluster with an issuer that Fulcio believes.
    Minikube,
    /// The ingress controller.
    Ingress,
    /// Anonymous reading of the discovery document.
    OidcReviewer,
    /// cert-manager.
    CertManager,
    /// Its self-signed issuer.
    Issuer,
    /// Sigstore.
    Scaffold,
    /// The public parts of its keys, in the namespace that signs.
    CopySecrets,
    /// The registry.
    Registry,
    /// Trusted root and signing config.
    Trust,
}

impl Part {
    /// All of them, in the order of the text.
    pub const ALL: [Part; 9] = [
        Part::Minikube,
        Part::Ingress,
        Part::OidcReviewer,
        Part::CertManager,
        Part::Issuer,
        Part::Scaffold,
        Part::CopySecrets,
        Part::Registry,
        Part::Trust,
    ];

    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Part::Minikube => "minikube",
            Part::Ingress => "ingress",
            Part::OidcReviewer => "oidc-reviewer",
            Part::CertManager => "cert-manager",
            Part::Issuer => "issuer",
            Part::Scaffold => "scaffold",
            Part::CopySecrets => "copy-secrets",
            Part::Registry => "registry",
            Part::Trust => "trust",
        }
    }

    /// The part that a step of this name belongs to: `scaffold-chart` is one of
    /// `scaffold`.
    pub fn of(step: &str) -> Option<Part> {
        Part::ALL.into_iter().find(|part| {
            step.strip_prefix(part.name())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
    }
}

/// What every command needs from the place where Sigstore runs. Plans are
/// values: building one runs nothing.
pub trait Target: Host {
    /// Looks at what the machine has, for the installation that there is or the
    /// one that the options describe.
    ///
    /// # Errors
    /// Where the repository or the state is damaged.
    fn preflight(&self, options: &PreflightOptions) -> Result<Vec<Check>>;

    /// How to do one part of what `install` does.
    ///
    /// # Errors
    /// Where this target has no such part, or the options do not fit.
    fn part(&self, part: Part, options: &ClusterOptions) -> Result<Plan>;

    /// Whether an install was begun, here or by one of its parts.
    fn installed(&self) -> bool;

    /// How to undo what a chapter of this name has a reader do, as far as there is a
    /// way back; an empty plan where nothing of that stays.
    ///
    /// # Errors
    /// Where the repository is damaged or no cluster is known.
    fn undo(&self, chapter: &str) -> Result<Plan>;

    /// Looks for every known problem, all findings at once.
    ///
    /// # Errors
    /// Where the repository or the state is damaged.
    fn doctor(&self) -> Result<Vec<Check>>;

    /// How to fetch and build what is needed later, so that no network is needed
    /// then. Every step of it tells whether it is done.
    ///
    /// # Errors
    /// Where the repository is damaged or the options do not fit.
    fn prefetch(&self, options: &ClusterOptions) -> Result<Plan>;

    /// The images that the pods of the installation need, once all that they are named
    /// in is here; `None` where nothing runs in pods.
    ///
    /// # Errors
    /// Where a chart is not there or is damaged.
    fn images(&self) -> Result<Option<Vec<String>>>;

    /// How to build, configure and start everything.
    ///
    /// # Errors
    /// Where the state is damaged or the options do not fit it.
    fn install(&self, options: &InstallOptions) -> Result<Plan>;

    /// Holds what installs of several states share while it is being made, or is
    /// to be made `again`; `waiting` is called where somebody else makes it.
    ///
    /// # Errors
    /// Where it cannot be held.
    fn hold_shared(&self, again: bool, waiting: &dyn Fn()) -> Result<Option<crate::state::Lock>>;

    /// How to start components, all where none is named.
    ///
    /// # Errors
    /// Where nothing is installed or a name is unknown.
    fn start(&self, components: &[String]) -> Result<Plan>;

    /// How to stop them.
    ///
    /// # Errors
    /// Where a name is unknown.
    fn stop(&self, components: &[String]) -> Result<Plan>;

    /// How to stop and start them.
    ///
    /// # Errors
    /// As [`Target::start`].
    fn restart(&self, components: &[String]) -> Result<Plan>;

    /// How to remove what install made; also the `tools` that it built, and all but
    /// what the `machine` takes along that will be deleted.
    ///
    /// # Errors
    /// Where the state cannot be read.
    fn uninstall(&self, tools: bool, machine: bool) -> Result<Plan>;

    /// How every component is.
    ///
    /// # Errors
    /// Where nothing is installed.
    fn status(&self) -> Result<Vec<Component>>;

    /// What the components print, all where none is named.
    ///
    /// # Errors
    /// Where the name is unknown.
    fn logs(&self, component: Option<&str>) -> Result<Logs>;

    /// How to sign.
    ///
    /// # Errors
    /// Where the user or the log is not there.
    fn sign(&self, artifacts: &[Artifact], user: &str, rekor: Version, from: Where)
    -> Result<Plan>;

    /// How to verify that `identity`, vouched for by `issuer`, signed.
    ///
    /// # Errors
    /// Where nothing is installed.
    fn verify(
        &self,
        artifacts: &[Artifact],
        identity: &str,
        issuer: &str,
        from: Where,
    ) -> Result<Plan>;

    /// Whose signature is made, and whose is expected, when nobody is named.
    fn default_user(&self) -> &'static str;

    /// The identity of a user in certificates; whose signature is expected
    /// where nobody is named.
    ///
    /// # Errors
    /// Where there is no such user.
    fn identity(&self, user: &str) -> Result<String>;

    /// The issuer of those identities, to the letter.
    ///
    /// # Errors
    /// Where it is not known.
    fn issuer(&self) -> Result<String>;

    /// The image that is signed where none is named.
    ///
    /// # Errors
    /// Where it is not known.
    fn sample(&self) -> Result<String>;

    /// The log that records where none is named.
    fn rekor(&self) -> Version;

    /// Where a version of Rekor is read, for as long as the answer is kept.
    ///
    /// # Errors
    /// Where it does not run here or cannot be reached.
    fn reach_rekor(&self, version: Version) -> Result<Reached>;

    /// Where a registry is read, for as long as the answer is kept.
    ///
    /// # Errors
    /// Where it cannot be reached.
    fn reach_registry(&self, host: &str) -> Result<Reached>;

    /// The trusted root of this installation.
    ///
    /// # Errors
    /// Where nothing is installed.
    fn trusted_root(&self) -> Result<PathBuf>;

    /// Where this target keeps what it remembers.
    fn dir(&self) -> PathBuf;

    /// The signatures made here, oldest first; the paths of their bundles are
    /// absolute.
    ///
    /// # Errors
    /// Where the file is damaged.
    fn signatures(&self) -> Result<Vec<Signature>>;

    /// Why the entry of a signature is not in its log any more, where it is so.
    ///
    /// # Errors
    /// Where the state is damaged.
    fn lost(&self, signature: &Signature) -> Result<Option<Fail>>;

    /// What other clients need: names and values.
    ///
    /// # Errors
    /// Where nothing is installed.
    fn env(&self) -> Result<Vec<(&'static str, String)>>;

    /// What a person should know after an install.
    ///
    /// # Errors
    /// Where nothing is installed.
    fn summary(&self) -> Result<Value>;
}
