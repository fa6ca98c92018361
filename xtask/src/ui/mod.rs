//! What a person or a script sees while a plan runs.
//!
//! Results go to standard output, progress and errors to standard error. With
//! `--json` every event is one JSON object a line on standard output and nothing
//! else is printed there. A closed output (`| head`) ends the printing, never
//! the work; one that cannot be written is an error at its end.

mod bars;
mod crowd;
mod events;
mod output;
mod prefix;
mod terminal;

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use console::style;
use serde::Serialize;
use serde_json::{Value, json};

use crate::fail::Fail;
use crate::text::printable;
use bars::Bars;
use crowd::Crowd;
use output::Output;
pub(crate) use output::{is_read, unless_closed};
pub(crate) use prefix::CommandPrefix;
pub(crate) use terminal::wrapped;

/// How much is printed, and in which form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Style {
    /// Events as JSON lines.
    pub json: bool,
    /// Also the commands.
    pub commands: bool,
    /// These shortened, without those that only a script needs; and no advice in between.
    pub brief: bool,
    /// Also what they print.
    pub verbose: bool,
    /// Only results and errors.
    pub quiet: bool,
}

/// Prints events.
pub(crate) struct Ui {
    style: Style,
    bars: Bars,
    /// The bar of all steps, where a plan has many that are alike.
    crowd: Crowd,
    output: Arc<Output>,
    prefix: Arc<Mutex<CommandPrefix>>,
    /// Held while the end of a step is counted and told, so that the numbers go up.
    ends: Mutex<()>,
}

impl Ui {
    /// Finds out once what standard error is.
    pub(crate) fn new(style: Style) -> Ui {
        let terminal = std::io::stderr().is_terminal();
        let draws = terminal && !style.json && !style.commands && !style.quiet;
        Ui {
            style,
            bars: Bars::new(draws),
            crowd: Crowd::default(),
            output: Arc::default(),
            prefix: Arc::default(),
            ends: Mutex::default(),
        }
    }

    /// The same output in another style, with the same prefix of commands.
    pub(crate) fn restyled(&self, style: Style) -> Ui {
        Ui {
            output: Arc::clone(&self.output),
            prefix: Arc::clone(&self.prefix),
            ..Ui::new(style)
        }
    }

    /// Makes every command that is printed for the user from here on carry these options.
    pub(crate) fn set_prefix(&self, prefix: CommandPrefix) {
        *self.prefix() = prefix;
    }

    /// A text for the user in which each `cargo xtask` leads to the state directory and
    /// target of this run.
    pub(crate) fn with_prefix(&self, text: &str) -> String {
        self.prefix().in_text(text)
    }

    fn prefix(&self) -> MutexGuard<'_, CommandPrefix> {
        self.prefix.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The style it was created with.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// A result: a line on standard output for a person, nothing with `--json`.
    /// `false` where nobody reads it any more.
    pub(crate) fn say(&self, line: impl AsRef<str>) -> bool {
        self.style.json || self.bars.suspend(|| self.output.print(line.as_ref()))
    }

    /// What to type next, unless the user asked for results only.
    pub(crate) fn next(&self, command: &str) {
        if !self.style.quiet && !self.style.brief {
            self.say(format!("next: {}", printable(&self.with_prefix(command))));
        }
    }

    /// A remark: a line on standard error, unless the user asked for quiet.
    pub(crate) fn note(&self, line: impl AsRef<str>) {
        if !self.style.json && !self.style.quiet {
            self.bars.suspend(|| eprint(line.as_ref()));
        }
    }

    /// One JSON document on standard output, only with `--json`. `false` where
    /// nobody reads it any more.
    pub(crate) fn event(&self, event: &impl Serialize) -> bool {
        if !self.style.json {
            return true;
        }
        let Ok(text) = serde_json::to_string(event) else {
            return false;
        };
        self.output.print(&text)
    }

    /// Why standard output could not be written, where that was not its reader's choice.
    pub(crate) fn lost_output(&self) -> Option<Fail> {
        self.output.lost()
    }

    /// The end of the output: the JSON `result`, or the error for a person.
    pub(crate) fn result(&self, command: &str, outcome: Result<Value, &Fail>) {
        if self.style.json {
            let (ok, exit, data) = match outcome {
                Ok(data) => (true, 0, data),
                Err(fail) => (false, fail.exit, self.failure(fail)),
            };
            let result = json!({"event": "result", "command": command, "ok": ok, "exit": exit});
            let result = with(result, data);
            self.event(&result);
        } else if let Err(fail) = outcome {
            self.error(fail);
        }
    }

    /// The JSON `result` of what succeeded in part.
    pub(crate) fn partly(&self, command: &str, fields: Value, fail: &Fail) {
        let result = json!({"event": "result", "command": command, "ok": false, "exit": fail.exit});
        self.event(&with(with(result, self.failure(fail)), fields));
    }

    /// What went wrong, for a person.
    pub(crate) fn error(&self, fail: &Fail) {
        // The tool's own words, unless it is known what they mean.
        let shown = if fail.known && !self.style.verbose {
            &[]
        } else {
            fail.tail.as_slice()
        };
        for line in shown {
            eprint(&format!("  | {}", printable(line)));
        }
        eprint(&format!(
            "{} {}",
            style("error:").for_stderr().red().bold(),
            printable(&fail.what)
        ));
        for hint in &fail.hints {
            eprint(&format!(
                "{} {}",
                style("hint:").for_stderr().cyan(),
                printable(&self.with_prefix(hint))
            ));
        }
    }

    /// A failure as JSON: `{"error", "problem", "hints", "tail"}`.
    fn failure(&self, fail: &Fail) -> Value {
        let hints: Vec<String> = fail
            .hints
            .iter()
            .map(|hint| self.with_prefix(hint))
            .collect();
        json!({"error": fail.what, "problem": fail.problem, "hints": hints, "tail": fail.tail})
    }
}

/// A line on standard error, in one piece: a pipe beside it may print at any moment.
fn eprint(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// An object with the fields of another after its own.
fn with(mut object: Value, more: Value) -> Value {
    if let (Some(object), Value::Object(mut more)) = (object.as_object_mut(), more) {
        object.append(&mut more);
    }
    object
}
