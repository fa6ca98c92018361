//! A target: a place where a private Sigstore runs.

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::artifact::{Artifact, Signature};
use crate::cli::{InstallOptions, On, PreflightOptions};
use crate::fail::{Fail, broken};
use crate::plan::Plan;
use crate::plan::run::Host;
use crate::preflight::Check;
use crate::rekor::Version;

/// One component.
#[derive(Debug, Serialize)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// `up`, `silent` (it runs but does not answer), `ended` (it was started
    /// and runs no more) or `stopped`.
    pub state: &'static str,
    /// Where it listens.
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

/// What every command needs from the place where Sigstore runs. Plans are
/// values: building one runs nothing.
pub trait Target: Host {
    /// Looks at what the machine has, for the installation that there is or the
    /// one that the options describe.
    ///
    /// # Errors
    /// Where the repository or the state is damaged.
    fn preflight(&self, options: &PreflightOptions) -> Result<Vec<Check>>;

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

    /// How to remove what install made.
    ///
    /// # Errors
    /// Where the state cannot be read.
    fn uninstall(&self, tools: bool) -> Result<Plan>;

    /// How every component is.
    ///
    /// # Errors
    /// Where nothing is installed.
    fn status(&self) -> Result<Vec<Component>>;

    /// The log files, by component.
    ///
    /// # Errors
    /// Where the name is unknown.
    fn logs(&self, component: Option<&str>) -> Result<Vec<(String, PathBuf)>>;

    /// How to sign.
    ///
    /// # Errors
    /// Where the user or the log is not there.
    fn sign(&self, artifacts: &[Artifact], user: &str, rekor: Version) -> Result<Plan>;

    /// How to verify that `identity`, vouched for by `issuer`, signed.
    ///
    /// # Errors
    /// Where nothing is installed.
    fn verify(&self, artifacts: &[Artifact], identity: &str, issuer: &str) -> Result<Plan>;

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

    /// Where a version of Rekor is read.
    ///
    /// # Errors
    /// Where it does not run here.
    fn rekor_address(&self, version: Version) -> Result<String>;

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

/// The refusal for the targets that this version does not run on yet.
pub fn not_yet(on: On) -> Fail {
    broken(format!(
        "this version of the workshop does not run on {} yet",
        on.name()
    ))
    .hint("the manifests of deploy/ and verify/ can be applied by hand: kubectl apply -f FILE")
    .hint("go on with the local target: --on local")
}
