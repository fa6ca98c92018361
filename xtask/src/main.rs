//! The task runner of the workshop: runs every step of a private Sigstore.
//!
//! One file a command in [`commands`]; [`plan`] runs what they build; [`local`]
//! is where it runs.

mod bundle;
mod certificate;
mod cli;
mod commands;
mod encoding;
mod fail;
mod http;
mod interrupt;
mod local;
mod plan;
mod preflight;
mod problems;
mod rekor;
mod state;
mod target;
mod time;
mod ui;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    ExitCode::from(commands::run(cli))
}
