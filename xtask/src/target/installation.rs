//! The role of a target that prepares, makes and completes an installation.

use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::{ClusterOptions, InstallOptions, InstallStage, PreflightOptions};
use crate::plan::Plan;
use crate::preflight::Finding;
use crate::state::Lock;

/// The images that the pods of an installation need.
pub(crate) struct Images {
    /// Their names.
    pub names: Vec<String>,
    /// Whether `prefetch` leaves it to the cluster to fetch them.
    pub left_to_cluster: bool,
}

/// What a person should know after an install.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    /// The image that is signed where none is named.
    pub sample: String,
    /// The issuer of the identities.
    pub issuer: String,
    /// The registry, as signers name it.
    pub registry: String,
    /// Which versions of Rekor run.
    pub rekor: &'static str,
    /// The context of kubectl, on a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

/// How an installation is made.
pub(crate) trait Installation {
    /// Looks at what the machine has, for the installation that there is or the one
    /// that the options describe.
    fn preflight(&self, options: &PreflightOptions) -> Result<Vec<Finding>>;

    /// The plan that fetches and builds what is needed later, so that no network is
    /// needed then. Every step of it tells whether it is done.
    fn prefetch(&self, options: &ClusterOptions) -> Result<Plan>;

    /// The plan that does so and packs the result into an archive, for machines of the same
    /// kind without a network; an error where this target has no such thing.
    fn pack(&self, archive: &Path) -> Result<Plan>;

    /// The plan that takes what is needed out of such an archive.
    fn unpack(&self, archive: &Path) -> Result<Plan>;

    /// The images that the pods of the installation need, once all that they are named
    /// in is here; `None` where nothing runs in pods.
    fn images(&self) -> Result<Option<Images>>;

    /// Locks what installs of several states share while it is being built, or is to be
    /// built `again`; calls `waiting` where another install builds it.
    fn lock_build(&self, again: bool, waiting: &dyn Fn()) -> Result<Option<Lock>>;

    /// The plan that builds, configures and starts everything.
    fn install(&self, options: &InstallOptions) -> Result<Plan>;

    /// The plan of `install` as far as one stage and what it needs; an error where this
    /// target has no such stage.
    fn stage(&self, stage: InstallStage, options: &ClusterOptions) -> Result<Plan>;

    /// What a person should know after an install.
    fn summary(&self) -> Result<Summary>;
}
