//! Asks a program something short, and takes its whole answer.

use std::io::Write;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result};

use super::interrupt::Running;
use super::spawn::{start, tool};
use super::{Command, Outputs, resolve};
use crate::fail::broken;
use crate::problems;

/// How long a tool may take that is only asked something.
const ANSWER: Duration = Duration::from_secs(320);

/// Runs a short command without placeholders, with this on its standard input,
/// and returns what it prints. Where it fails, its last lines are the tail.
pub(crate) fn output_of(command: &Command, input: Option<&[u8]>) -> Result<String> {
    let printed = bytes_of(command, input)?;
    String::from_utf8(printed).context("a tool printed something that is not text")
}

/// The same, for a tool that prints what need not be text.
pub(crate) fn bytes_of(command: &Command, input: Option<&[u8]>) -> Result<Vec<u8>> {
    let words = resolve(&command.words, &Outputs::new())?;
    let stdin = input.map_or_else(Stdio::null, |_| Stdio::piped());
    let mut child = start(command, &words, stdin)?;
    let running = Running::new(&child);
    let pipe = child.stdin.take();
    let (ended, end) = mpsc::channel::<()>();
    let (output, late) = std::thread::scope(|scope| {
        // A tool that does not read to the end says why itself.
        scope.spawn(|| pipe.zip(input).map(|(mut pipe, text)| pipe.write_all(text)));
        let running = &running;
        let late = scope.spawn(move || {
            let late = end.recv_timeout(ANSWER) == Err(mpsc::RecvTimeoutError::Timeout);
            if late {
                running.end();
            }
            late
        });
        let output = child.wait_with_output();
        drop(ended);
        (output, late.join().unwrap_or_default())
    });
    drop(running);
    let output = output?;
    let tool = tool(&words[0]);
    if late {
        let seconds = ANSWER.as_secs();
        return Err(broken(format!("{tool} has not answered in {seconds} seconds")).into());
    }
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().map(str::to_owned).collect();
        let verb = words.get(1).filter(|word| !word.starts_with('-'));
        let verb = verb.map_or(String::new(), |verb| format!(" {verb}"));
        let what = format!("{tool}{verb} failed");
        return Err(problems::explain(broken(what).tail(said)).into());
    }
    Ok(output.stdout)
}
