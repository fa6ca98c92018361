//! The programs that a lab starts: a Ctrl-C ends each of them, but not what cleans up
//! after it.

use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result};

use crate::exec::interrupt::{self, Running};
use crate::fail::broken;

/// What a command came to.
pub(crate) struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    fn new(output: &Output) -> Ended {
        Ended {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Runs a command to its end, unless a signal asks this process to stop.
///
/// # Errors
/// Where it does not start, and after an interruption.
pub(crate) fn end(command: Command) -> Result<Ended> {
    run(alone(command))
}

/// Runs a command whose progress the reader sees: standard error is the
/// reader's.
///
/// # Errors
/// Where it does not start, and after an interruption.
pub(crate) fn end_in_view(command: Command) -> Result<Ended> {
    let mut command = alone(command);
    command.stderr(Stdio::inherit());
    run(command)
}

fn run(mut command: Command) -> Result<Ended> {
    if interrupt::interrupted() {
        return Err(broken("interrupted").into());
    }
    let child = command
        .spawn()
        .with_context(|| format!("run {command:?}"))?;
    let running = Running::new(&child);
    let ended = interrupt::interruptible(move || {
        let output = child.wait_with_output();
        drop(running);
        output.map_err(|error| broken(format!("a program was lost: {error}")))
    });
    // What a command says that was told to stop is of no use to the reader.
    if interrupt::interrupted() {
        interrupt::stop_children();
        return Err(broken("interrupted").into());
    }
    Ok(Ended::new(&ended?))
}

/// Runs a command to its end whatever is asked meanwhile: it cleans up.
pub(crate) fn finish(command: Command) -> Result<Ended> {
    let mut command = alone(command);
    let output = command
        .output()
        .with_context(|| format!("run {command:?}"))?;
    Ok(Ended::new(&output))
}

/// Without input, and in a group of its own: a Ctrl-C at the terminal reaches this
/// process alone, which decides what ends.
fn alone(mut command: Command) -> Command {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    command
}

/// What was said, for an error. The hints lead to the reader's own installation,
/// which is another.
pub(crate) fn lines(text: &str) -> Vec<String> {
    let said = text.lines().filter(|line| !line.contains("hint: "));
    said.map(str::to_owned).collect()
}
