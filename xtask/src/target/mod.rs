//! A target: a place where a private Sigstore runs.
//!
//! What every command needs of it is a role of five to seven methods; a target is
//! whatever has all the roles. Plans are values: building one changes nothing.

mod component;
mod installation;
mod kind;
mod lifecycle;
mod options;
mod reach;
mod reset;
mod signing;
pub mod steps;
mod trust;

pub use component::{Component, ComponentState};
pub use installation::{Images, Installation, Summary};
pub use kind::TargetKind;
pub use lifecycle::{Lifecycle, Logs};
pub use options::{ClusterOptions, InstallOptions, PreflightOptions, Renew};
pub use reach::{Reach, Reached};
pub(crate) use reset::no_way_back;
pub use reset::{Made, Removal, Reset, WayBack};
pub use signing::{CosignRuns, Signing};
pub use trust::Trust;

pub use crate::plan::InstallStage;
use crate::plan::StepRunner;

/// A place where a private Sigstore runs, and what runs the steps of its plans.
pub trait Target: StepRunner + Installation + Lifecycle + Signing + Trust + Reach + Reset {}

impl<T: StepRunner + Installation + Lifecycle + Signing + Trust + Reach + Reset> Target for T {}
