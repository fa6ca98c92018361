//! `logs`: what the components print.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App};
use crate::exec::each_line_of;
use crate::exec::interrupt;
use crate::plan::Command;
use crate::target;
use crate::text::printable;

/// No more than this is read from the end of a log.
const MOST: u64 = 4 * 1024 * 1024;

/// Show what the components print
#[derive(Debug, Args)]
pub(crate) struct LogsCommand {
    /// The component [default: the last lines of all]
    component: Option<String>,
    /// Go on as it grows
    #[arg(short, long)]
    follow: bool,
    /// How many of the last lines [default: 100 of one, 5 of each]
    #[arg(short = 'n', long, value_name = "N")]
    lines: Option<usize>,
}

/// A line that a component printed.
#[derive(Serialize)]
struct LogLine<'a> {
    component: &'a str,
    line: &'a str,
}

impl LogsCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        match app.target()?.logs(self.component.as_deref())? {
            target::Logs::Files(files) => show_files(app, &files, self.follow, self.lines),
            target::Logs::Programs(programs) => {
                show_programs(app, programs, self.follow, self.lines)
            }
        }?;
        Ok(Answer::printed())
    }
}

/// How many lines are shown of one log, or of each.
fn count(lines: Option<usize>, several: bool) -> usize {
    lines.unwrap_or(if several { 5 } else { 100 })
}

/// Logs that another program prints, side by side where they go on.
fn show_programs(
    app: &App,
    programs: Vec<(String, Command)>,
    follow: bool,
    lines: Option<usize>,
) -> Result<()> {
    let several = programs.len() > 1;
    let _watch = interrupt::watch();
    let show = |(name, mut command): (String, Command)| -> Result<()> {
        let tail = format!("--tail={}", count(lines, several));
        command.words.push(tail.into());
        if follow {
            command.words.push("--follow".into());
        }
        each_line_of(&command, &mut |line| print(app, &name, line, several))
    };
    if !follow {
        return programs.into_iter().try_for_each(show);
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = programs
            .into_iter()
            .map(|program| scope.spawn(|| show(program)))
            .collect();
        while !interrupt::interrupted() && threads.iter().any(|thread| !thread.is_finished()) {
            std::thread::sleep(Duration::from_millis(50));
        }
        interrupt::ask_children();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or(Ok(())))
    })
}

/// Logs in files.
fn show_files(
    app: &App,
    logs: &[(String, PathBuf)],
    follow: bool,
    lines: Option<usize>,
) -> Result<()> {
    let several = logs.len() > 1;
    let count = count(lines, several);
    let mut ends = Vec::new();
    for (name, path) in logs {
        let (last, end) = tail(path, count)?;
        for line in last {
            print(app, name, &line, several);
        }
        ends.push(end);
    }
    let _watch = interrupt::watch();
    while follow && !interrupt::interrupted() {
        std::thread::sleep(Duration::from_millis(150));
        for ((name, path), end) in logs.iter().zip(&mut ends) {
            for line in grown(path, end)? {
                if !print(app, name, &line, several) {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Prints a line; `false` where nobody reads any more.
fn print(app: &App, name: &str, line: &str, several: bool) -> bool {
    if app.ui.style().json {
        return app.ui.event(&LogLine {
            component: name,
            line,
        });
    }
    let line = printable(line);
    app.ui.say(if several {
        format!("{name}: {line}")
    } else {
        line
    })
}

/// The last lines of a file and its length in bytes; nothing of one that is
/// not there yet.
fn tail(path: &Path, count: usize) -> Result<(VecDeque<String>, u64)> {
    let Ok(mut file) = File::open(path) else {
        return Ok((VecDeque::new(), 0));
    };
    let end = file.metadata()?.len();
    file.seek(SeekFrom::Start(end.saturating_sub(MOST)))?;
    let mut last = VecDeque::new();
    for line in BufReader::new(file.take(MOST)).split(b'\n') {
        last.push_back(
            String::from_utf8_lossy(&line.with_context(|| format!("read {}", path.display()))?)
                .into_owned(),
        );
        if last.len() > count {
            last.pop_front();
        }
    }
    Ok((last, end))
}

/// The whole lines that a file has gained; one that shrank is read from its beginning.
fn grown(path: &Path, end: &mut u64) -> Result<Vec<String>> {
    let Ok(mut file) = File::open(path) else {
        return Ok(Vec::new());
    };
    let length = file.metadata()?.len();
    if length < *end {
        *end = 0;
    }
    file.seek(SeekFrom::Start(*end))?;
    let mut text = Vec::new();
    file.take(MOST).read_to_end(&mut text)?;
    let whole = text
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    *end += whole as u64;
    Ok(String::from_utf8_lossy(&text[..whole])
        .lines()
        .map(str::to_owned)
        .collect())
}
