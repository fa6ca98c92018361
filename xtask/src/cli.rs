//! The options that every command takes.

use std::path::PathBuf;

use clap::Args;

use crate::target::TargetKind;

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Global {
    /// Where Sigstore runs; remembered for the commands to come [env: WORKSHOP_ON] [default: local]
    #[arg(long, global = true, value_enum, value_name = "TARGET")]
    pub(crate) on: Option<TargetKind>,
    /// The state directory [env: WORKSHOP_STATE] [default: .workshop in the repository]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// The context of kubectl that names the cluster [default: the current one, or minikube]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// Print JSON: events of a plan one a line, answers as one document
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Also print the commands and what they say
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Print results and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}
