//! The role of a target that runs the components of an installation.

use std::path::PathBuf;

use anyhow::Result;

use super::Component;
use crate::plan::{Command, Plan};
use crate::preflight::Finding;

/// Where the log lines of components come from.
pub(crate) enum Logs {
    /// Files, by component.
    Files(Vec<(String, PathBuf)>),
    /// Programs that print them, by component; they take `--tail=N` and
    /// `--follow`.
    Programs(Vec<(String, Command)>),
}

/// What runs, and how it is started and stopped.
pub(crate) trait Lifecycle {
    /// The plan that starts components, all where none is named, on these ports where
    /// some are named.
    fn start(&self, components: &[String], port_base: Option<u16>) -> Result<Plan>;

    /// The plan that stops components, all where none is named.
    fn stop(&self, components: &[String]) -> Result<Plan>;

    /// The plan that stops and starts components, all where none is named, on these ports
    /// where some are named.
    fn restart(&self, components: &[String], port_base: Option<u16>) -> Result<Plan>;

    /// How every component is.
    fn status(&self) -> Result<Vec<Component>>;

    /// What to do where the components of these names are not up.
    fn why_down(&self, components: &[&str]) -> &'static str;

    /// What the components print, all where none is named.
    fn logs(&self, component: Option<&str>) -> Result<Logs>;

    /// Looks for every known problem, all findings at once.
    fn doctor(&self) -> Result<Vec<Finding>>;
}
