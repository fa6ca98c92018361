//! `shell`: a shell in which clients find this Sigstore.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App};
use crate::fail::broken;

/// Open a shell that has all variables of `env`; exit status is that of the shell
#[derive(Debug, Args)]
pub(crate) struct ShellCommand {
    /// What to run instead of a shell, behind `--`
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl ShellCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let env = app.target()?.env()?;
        let shell = std::env::var("SHELL").ok().filter(|name| !name.is_empty());
        let mut words = self.command.into_iter();
        let program = words.next();
        if program.is_none() {
            app.ui
                .note("a shell with what `cargo xtask env` prints; to leave it: exit");
        }
        let program = program.or(shell).unwrap_or_else(|| "/bin/sh".to_owned());
        let mut command = Command::new(&program);
        // A `cargo xtask` in the shell means the same installation, wherever it is typed.
        command
            .args(words)
            .envs(env)
            .env("WORKSHOP_STATE", app.state.root())
            .env("WORKSHOP_ON", app.chosen.kind.name());
        // It takes the place of this program, so its exit status and its signals are its own.
        let error = command.exec();
        Err(broken(format!("{program} cannot be started: {error}"))
            .hint("name another one: cargo xtask shell -- /bin/sh")
            .into())
    }
}
