//! The `PATH`, without entries that name another directory wherever a reader stands: in a
//! shared one, somebody else's `curl` would be run.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;

use anyhow::{Context, Result};

/// Begins this program once more where its `PATH` has an entry that is relative or empty,
/// which means the directory it runs in; then without those entries. What it starts gets the
/// same.
///
/// # Errors
/// Where the program cannot be started once more.
pub(crate) fn without_relative_entries() -> Result<()> {
    let Some(path) = std::env::var_os("PATH") else {
        return Ok(());
    };
    let all: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let (absolute, relative): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|entry| entry.is_absolute());
    if relative.is_empty() {
        return Ok(());
    }
    let program = std::env::current_exe().context("find this program")?;
    let mut again = std::process::Command::new(program);
    again.args(std::env::args_os().skip(1));
    // An empty PATH is one empty entry; without a PATH the system's own directories count.
    match absolute.is_empty() {
        true => again.env_remove("PATH"),
        false => again.env("PATH", std::env::join_paths(absolute)?),
    };
    Err(again.exec()).context("begin once more with another PATH")
}
