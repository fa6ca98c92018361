//! The role of a target that removes an installation, or undoes a chapter.

use std::str::FromStr;

use anyhow::Result;

use crate::fail::{Fail, broken};
use crate::plan::Plan;

/// What is removed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Removal<'a> {
    /// Whether the built servers stay.
    pub keep_tools: bool,
    /// The profile of minikube that is deleted, with all that is in it.
    pub delete_minikube: Option<&'a str>,
}

/// One way to undo something, as the table of the chapters names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WayBack {
    /// All that install made is removed.
    Uninstall {
        /// Whether what was fetched stays.
        keep_tools: bool,
    },
    /// The servers of the chapter are stopped.
    StopServers,
    /// Something that the chapter made is removed.
    Remove(Made),
    /// What was signed about the sample leaves its registry.
    Unsign {
        /// Whether only what attests it does.
        attestations: bool,
    },
}

/// What a chapter made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// The trusted root and the signing config.
    Trust,
    /// The binding of `oidc-reviewer`.
    Binding,
    /// The releases of Sigstore, with their objects.
    Sigstore,
    /// The copies of the public keys.
    Copies,
    /// The registry of a cluster, and the trust material that its Jobs were given.
    Registry,
}

impl FromStr for WayBack {
    type Err = Fail;

    fn from_str(text: &str) -> Result<WayBack, Fail> {
        Ok(match text {
            "uninstall" => WayBack::Uninstall { keep_tools: false },
            "uninstall keep-tools" => WayBack::Uninstall { keep_tools: true },
            "stop servers" => WayBack::StopServers,
            "remove trust" => WayBack::Remove(Made::Trust),
            "remove binding" => WayBack::Remove(Made::Binding),
            "remove sigstore" => WayBack::Remove(Made::Sigstore),
            "remove copies" => WayBack::Remove(Made::Copies),
            "remove registry" => WayBack::Remove(Made::Registry),
            "unsign signatures" => WayBack::Unsign {
                attestations: false,
            },
            "unsign attestations" => WayBack::Unsign { attestations: true },
            _ => return Err(broken(format!("nothing is undone by {text:?}"))),
        })
    }
}

/// The failure for a way that a target does not have: the table is wrong.
pub(crate) fn no_way_back(way: WayBack) -> Fail {
    broken(format!("this target cannot be reset by {way:?}"))
}

/// How an installation or a chapter is undone.
pub(crate) trait Reset {
    /// The plan that undoes the chapter of this name in these ways; an empty one
    /// where nothing of it stays.
    fn reset(&self, chapter: &str, ways: &[WayBack]) -> Result<Plan>;

    /// The plan that removes what install made.
    fn uninstall(&self, removal: Removal<'_>) -> Result<Plan>;

    /// What is asked before everything is removed.
    fn removal_question(&self, removal: Removal<'_>) -> Result<String>;

    /// What stays though everything is removed, and why.
    fn what_stays(&self, removal: Removal<'_>) -> Option<String>;

    /// What to do where a removal fails for a reason of its own.
    fn removal_hint(&self) -> Option<&'static str>;

    /// Fails where nothing was installed from this state directory and no cluster was
    /// named: what is on the current cluster may belong to another installation.
    fn require_named(&self) -> Result<()>;

    /// Fails where this profile of minikube is not the one that the target uses.
    fn require_profile(&self, profile: &str) -> Result<()>;
}
