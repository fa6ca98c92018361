//! Runs one program of a plan: its output read line by line, its end explained.

pub mod interrupt;

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::fail::{Fail, broken};
use crate::plan::run::Outputs;
use crate::plan::{Command, Piece, Progress, Total, Word};
use crate::problems;
use crate::ui::{StepRef, Ui};
use interrupt::Running;

/// How many of a tool's last lines an error shows.
const TAIL: usize = 12;

/// A line of a tool's output is cut here, so that a tool that prints no line
/// end cannot fill the memory.
const LINE: u64 = 16 * 1024;

/// The output that one command hands to another is a digest, a number, a list
/// of packages: more than this many bytes is none of them.
const LARGEST: usize = 4 * 1024 * 1024;

/// How long a tool may take that is only asked something.
const ANSWER: Duration = Duration::from_secs(320);

/// The words with the outputs they refer to filled in.
pub fn resolve(words: &[Word], outputs: &Outputs) -> Result<Vec<String>> {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => Ok(text.clone()),
        Piece::Output(name) => {
            let missing = || broken(format!("the output {name} of an earlier step is missing"));
            Ok(outputs.get(name).ok_or_else(missing)?.clone())
        }
    };
    words
        .iter()
        .map(|word| word.0.iter().map(piece).collect())
        .collect()
}

/// Runs a program to its end and returns its standard output.
pub fn program(
    command: &Command,
    outputs: &Outputs,
    place: StepRef<'_>,
    ui: &Ui,
) -> Result<String> {
    let words = resolve(&command.words, outputs)?;
    let name = words
        .first()
        .ok_or_else(|| broken("a command without words"))?;
    let mut child = prepare(name, &words[1..], command)?
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_start(name, &error))?;
    let running = (!command.finishes).then(|| Running::new(&child));
    if running.is_some() && interrupt::interrupted() {
        interrupt::ask_children();
    }

    let meter = command
        .progress
        .as_ref()
        .map(|progress| Meter::new(progress, outputs));
    let seen = |line: &str| {
        ui.output(place, line);
        if let Some(meter) = &meter {
            meter.line(line, |done, total| ui.progress(place, done, total));
        }
    };
    let tail = Mutex::new(VecDeque::new());
    let keep = |line: String| {
        let mut tail = tail
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(line);
    };
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let captures = command.output.is_some();
    let printed = std::thread::scope(|scope| {
        scope.spawn(|| {
            each_line(err, |line| {
                seen(&line);
                keep(line);
            })
        });
        let mut printed = String::new();
        each_line(out, |line| {
            if captures && printed.len() <= LARGEST {
                printed.push_str(&line);
                printed.push('\n');
            } else if !captures {
                seen(&line);
                keep(line);
            }
        });
        printed
    });
    // The group is forgotten before its leader is reaped: its number is this
    // child's until then.
    drop(running);
    let status = child.wait()?;
    let tool = tool(name);
    if status.success() && printed.len() > LARGEST {
        return Err(broken(format!("{tool} prints more than it should")).into());
    }
    if status.success() {
        return Ok(printed);
    }
    let tail = tail.into_inner().unwrap_or_default().into_iter().collect();
    Err(problems::explain(broken(format!("{tool} failed with {status}")).tail(tail)).into())
}

/// Runs a short command without placeholders, with this on its standard input,
/// and returns what it prints.
///
/// # Errors
/// Where it fails; its last lines are the tail.
pub fn output_of(command: &Command, input: Option<&[u8]>) -> Result<String> {
    let words = resolve(&command.words, &Outputs::new())?;
    let (name, args) = words.split_first().context("a command without words")?;
    let stdin = if input.is_some() {
        Stdio::piped()
    } else {
        Stdio::null()
    };
    let mut child = prepare(name, args, command)?
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_start(name, &error))?;
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
    if late {
        let seconds = ANSWER.as_secs();
        return Err(broken(format!(
            "{} has not answered in {seconds} seconds",
            tool(name)
        ))
        .into());
    }
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().map(str::to_owned).collect();
        let verb = args.first().filter(|word| !word.starts_with('-'));
        let verb = verb.map_or(String::new(), |verb| format!(" {verb}"));
        let what = format!("{}{verb} failed", tool(name));
        return Err(problems::explain(broken(what).tail(said)).into());
    }
    String::from_utf8(output.stdout).context("a tool printed something that is not text")
}

/// Runs a program that prints for a person, line by line, until it ends or nobody
/// reads any more. What it says of errors is its last lines.
///
/// # Errors
/// Where it fails, unless it was told to stop.
pub fn each_line_of(command: &Command, each: &mut dyn FnMut(&str) -> bool) -> Result<()> {
    let words = resolve(&command.words, &Outputs::new())?;
    let (name, args) = words.split_first().context("a command without words")?;
    let mut child = prepare(name, args, command)?
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_start(name, &error))?;
    let running = Running::new(&child);
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let mut unread = false;
    let said = std::thread::scope(|scope| {
        let said = scope.spawn(|| {
            let mut said = VecDeque::new();
            each_line(err, |line| {
                said.push_back(line);
                if said.len() > TAIL {
                    said.pop_front();
                }
            });
            said
        });
        each_line(out, |line| {
            if !unread && !each(&line) {
                unread = true;
                interrupt::ask_children();
            }
        });
        said.join().unwrap_or_default()
    });
    drop(running);
    let status = child.wait()?;
    if status.success() || unread || interrupt::interrupted() {
        return Ok(());
    }
    let fail = broken(format!("{} failed with {status}", tool(name)));
    Err(problems::explain(fail.tail(said.into())).into())
}

/// A program by its name alone.
fn tool(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// The process to be, in a group of its own, without the variables that would
/// send a Sigstore client anywhere but where the command line says.
pub fn prepare(name: &str, args: &[String], command: &Command) -> Result<std::process::Command> {
    let shell = xshell::Shell::new()?;
    let mut process: std::process::Command = shell.cmd(name).args(args).into();
    for variable in redirecting_variables() {
        process.env_remove(variable);
    }
    process.envs(command.env.iter().map(|(name, value)| (name, value)));
    if let Some(dir) = &command.dir {
        process.current_dir(dir);
    }
    use std::os::unix::process::CommandExt;
    process.process_group(0);
    Ok(process)
}

/// The variables of the caller's environment that change which servers or keys
/// a Sigstore client uses.
pub fn redirecting_variables() -> Vec<String> {
    std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("SIGSTORE_") || name.starts_with("COSIGN_"))
        .collect()
}

/// Why a program did not even start, and what makes it.
pub fn cannot_start(name: &str, error: &std::io::Error) -> Fail {
    if error.kind() == std::io::ErrorKind::NotFound {
        // What is named by its path was built by an install.
        let built = std::path::Path::new(name).is_absolute();
        let make = if built {
            "cargo xtask install"
        } else {
            "cargo xtask preflight"
        };
        return broken(format!("{name} was not found")).hint(make);
    }
    broken(format!("{name} could not be started: {error}"))
}

fn each_line(source: Option<impl Read>, mut each: impl FnMut(String)) {
    let Some(source) = source else { return };
    let mut reader = BufReader::new(source);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.by_ref().take(LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => each(String::from_utf8_lossy(&line).trim_end().to_owned()),
        }
    }
}

/// Counts the lines that mean progress.
struct Meter {
    counts: fn(&str) -> bool,
    total: u64,
    done: Mutex<u64>,
}

impl Meter {
    fn new(progress: &Progress, outputs: &Outputs) -> Meter {
        let total = match progress.total {
            Total::Known(total) => total,
            Total::LinesOf(name) => outputs.get(name).map_or(0, |text| {
                text.lines().filter(|line| !line.trim().is_empty()).count() as u64
            }),
        };
        Meter {
            counts: progress.counts,
            total,
            done: Mutex::new(0),
        }
    }

    fn line(&self, line: &str, report: impl Fn(u64, u64)) {
        if (self.counts)(line) && self.total > 0 {
            let mut done = self
                .done
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            *done += 1;
            report(*done, self.total);
        }
    }
}
