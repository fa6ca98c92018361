//! Starts a program: in a group of its own, and without the variables that would send a
//! Sigstore client elsewhere.

use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::sync::{PoisonError, RwLock};

use anyhow::{Context, Result};

use super::Command;
use crate::fail::{Fail, broken};

/// Held for reading while a child is started. Until it runs its program, a child holds
/// all that is open in this process: a port, too, that is tried meanwhile.
static STARTS: RwLock<()> = RwLock::new(());

/// Does something while no child is started.
pub(crate) fn without_starts<T>(work: impl FnOnce() -> T) -> T {
    let _held = STARTS.write().unwrap_or_else(PoisonError::into_inner);
    work()
}

/// Starts a process.
pub(crate) fn started(process: &mut std::process::Command) -> std::io::Result<Child> {
    let _held = STARTS.read().unwrap_or_else(PoisonError::into_inner);
    process.spawn()
}

/// Starts a program with both its outputs to be read.
pub(super) fn start(command: &Command, words: &[String], input: Stdio) -> Result<Child> {
    let (name, args) = words.split_first().context("a command without words")?;
    let mut process = prepare(name, args, command)?;
    process.stdin(input).stdout(Stdio::piped());
    let child = started(process.stderr(Stdio::piped()));
    Ok(child.map_err(|error| cannot_start(name, &error))?)
}

/// A program by its name alone.
pub(super) fn tool(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// The process to be, in a group of its own, without the variables that would
/// send a Sigstore client anywhere but where the command line says.
pub(crate) fn prepare(
    name: &str,
    args: &[String],
    command: &Command,
) -> Result<std::process::Command> {
    let shell = xshell::Shell::new()?;
    let mut process: std::process::Command = shell.cmd(name).args(args).into();
    for variable in redirecting_variables() {
        process.env_remove(variable);
    }
    process.envs(command.env.iter().map(|(name, value)| (name, value)));
    if let Some(dir) = &command.dir {
        process.current_dir(dir);
    }
    process.process_group(0);
    Ok(process)
}

/// The variables of the caller's environment that change which servers or keys
/// a Sigstore client uses.
pub(crate) fn redirecting_variables() -> Vec<String> {
    std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("SIGSTORE_") || name.starts_with("COSIGN_"))
        .collect()
}

/// Why a program did not even start, and what makes it.
pub(crate) fn cannot_start(name: &str, error: &std::io::Error) -> Fail {
    if error.kind() == std::io::ErrorKind::NotFound {
        // What is named by its path was built by an install.
        let built = std::path::Path::new(name).is_absolute();
        let make = match name {
            _ if built => "cargo xtask install",
            // Every system has a package of it, and the local target does without it until
            // an image is verified.
            "curl" => "install curl with the system's package manager",
            _ => "cargo xtask preflight",
        };
        return broken(format!("{name} was not found")).hint(make);
    }
    broken(format!("{name} could not be started: {error}"))
}
