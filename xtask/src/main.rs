//! `cargo xtask`: see the library.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = xtask::cli::Cli::parse();
    ExitCode::from(xtask::commands::run(cli))
}
