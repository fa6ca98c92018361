//! Runs a program to its end while each of its lines is heard.

use std::process::Stdio;

use anyhow::Result;

use super::interrupt::{self, Running};
use super::lines::{Tail, each_line};
use super::meter::Meter;
use super::spawn::{start, tool};
use super::{Command, Outputs, resolve};
use crate::fail::{Fail, broken};
use crate::problems;

/// The output that one command hands to another is short: a digest, a number, a list of
/// packages. A longer one is an error.
const LARGEST: usize = 4 * 1024 * 1024;

/// So often a program is run again whose failure is the fault of another.
const RETRIES: usize = 3;

/// What is heard of a program that runs.
pub(crate) enum Heard<'a> {
    /// A line that it printed.
    Line(&'a str),
    /// How far it is; `total` is a good guess, not a promise.
    Progress {
        /// How many are done.
        done: u64,
        /// How many there are.
        total: u64,
    },
}

/// Runs a program to its end and returns its standard output, where that has a name. Where
/// its words say so, it is run again a few times.
pub(crate) fn run(
    command: &Command,
    outputs: &Outputs,
    hear: &(dyn Fn(Heard<'_>) + Sync),
) -> Result<String> {
    for _ in 0..RETRIES {
        let ran = run_once(command, outputs, hear);
        let again = |error: &anyhow::Error| {
            let says = command.retried_where.filter(|_| !interrupt::interrupted());
            says.is_some_and(|says| Fail::from_error(error).says(says))
        };
        if !ran.as_ref().is_err_and(again) {
            return ran;
        }
    }
    run_once(command, outputs, hear)
}

fn run_once(
    command: &Command,
    outputs: &Outputs,
    hear: &(dyn Fn(Heard<'_>) + Sync),
) -> Result<String> {
    let words = resolve(&command.words, outputs)?;
    let mut child = start(command, &words, Stdio::null())?;
    let running = (!command.finishes).then(|| Running::new(&child));
    if running.is_some() && interrupt::interrupted() {
        interrupt::ask_children();
    }
    let progress = command.progress.as_ref();
    let meter = progress.map(|progress| Meter::new(progress, outputs));
    let tail = Tail::default();
    let seen = |line: String| {
        hear(Heard::Line(&line));
        if let Some(meter) = &meter {
            meter.line(&line, |done, total| hear(Heard::Progress { done, total }));
        }
        tail.keep(line);
    };
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let printed = std::thread::scope(|scope| {
        scope.spawn(|| each_line(err, &seen));
        let mut printed = String::new();
        each_line(out, |line| match command.output {
            None => seen(line),
            Some(_) if printed.len() <= LARGEST => {
                printed.push_str(&line);
                printed.push('\n');
            }
            Some(_) => {}
        });
        printed
    });
    // The group is forgotten before its leader is reaped: its number is this
    // child's until then.
    drop(running);
    let status = child.wait()?;
    let tool = tool(&words[0]);
    if !status.success() {
        let fail = broken(format!("{tool} failed with {status}"));
        return Err(problems::explain(fail.tail(tail.lines())).into());
    }
    if printed.len() > LARGEST {
        return Err(broken(format!("{tool} prints more than it should")).into());
    }
    Ok(printed)
}

/// Runs a program that prints for a person, line by line, until it ends or `each`
/// wants no more. Where it fails by itself, its last lines are the tail.
pub(crate) fn each_line_of(command: &Command, each: &mut dyn FnMut(&str) -> bool) -> Result<()> {
    let words = resolve(&command.words, &Outputs::new())?;
    let mut child = start(command, &words, Stdio::null())?;
    let running = Running::new(&child);
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let tail = Tail::default();
    let mut unread = false;
    std::thread::scope(|scope| {
        scope.spawn(|| each_line(err, |line| tail.keep(line)));
        each_line(out, |line| {
            if !unread && !each(&line) {
                unread = true;
                interrupt::ask_children();
            }
        });
    });
    drop(running);
    let status = child.wait()?;
    if status.success() || unread || interrupt::interrupted() {
        return Ok(());
    }
    let fail = broken(format!("{} failed with {status}", tool(&words[0])));
    Err(problems::explain(fail.tail(tail.lines())).into())
}
