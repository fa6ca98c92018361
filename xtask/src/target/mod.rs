//! A target: a place where a private Sigstore runs.
//!
//! What every command needs of it is a role of five to seven methods; a target is
//! whatever has all the roles. Plans are values: building one changes nothing.

mod component;
mod installation;
mod keys;
mod kind;
mod lifecycle;
mod options;
mod reach;
mod reset;
mod signer_args;
mod signing;
pub(crate) mod steps;
mod trust;

pub(crate) use component::{Component, ComponentState};
pub(crate) use installation::{Images, Installation, Summary};
pub(crate) use keys::{KeyInUse, keys_in_use};
pub use kind::TargetKind;
pub(crate) use lifecycle::{Lifecycle, Logs};
pub use options::ClusterOptions;
pub(crate) use options::{
    InstallOptions, PortOptions, PreflightOptions, RotateOptions, RotatedKey,
};
pub(crate) use reach::{Reach, Reached, Shard, no_shard};
pub(crate) use reset::no_way_back;
pub(crate) use reset::{Made, Removal, Reset, WayBack};
pub use signer_args::SignerArgs;
pub(crate) use signing::CosignRuns;
pub use signing::{Signing, Verification};
pub(crate) use trust::Trust;

pub(crate) use crate::plan::InstallStage;
use crate::plan::StepRunner;

/// A place where a private Sigstore runs, and what runs the steps of its plans.
pub(crate) trait Target:
    StepRunner + Installation + Lifecycle + Signing + Trust + Reach + Reset
{
}

impl<T: StepRunner + Installation + Lifecycle + Signing + Trust + Reach + Reset> Target for T {}
