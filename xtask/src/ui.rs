//! What a person or a script sees while a plan runs.
//!
//! Results go to standard output, progress and errors to standard error. With
//! `--json` every event is one JSON object a line on standard output and nothing
//! else is printed there. A closed output (`| head`) ends the printing, never
//! the work.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use console::style;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::{Value, json};

use crate::fail::Fail;
use crate::plan::{Plan, Reporter, StepEvent, StepRef};
use crate::text::printable;

/// How much is said, and in which form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Events as JSON lines.
    pub json: bool,
    /// Also the commands.
    pub commands: bool,
    /// Also what they print.
    pub verbose: bool,
    /// Only results and errors.
    pub quiet: bool,
}

/// The options without which a printed command would lead to another state directory
/// or target, each followed by a space.
#[derive(Debug, Clone, Default)]
pub struct CommandPrefix {
    target: String,
    state: String,
}

impl CommandPrefix {
    /// The options that name the target, where they are needed, and those that name the
    /// state directory.
    pub fn new(target: &[String], state: &[String]) -> CommandPrefix {
        let words = |options: &[String]| {
            let quoted = options.iter().map(|word| crate::text::quote(word) + " ");
            quoted.collect::<String>()
        };
        CommandPrefix {
            target: words(target),
            state: words(state),
        }
    }

    /// A text in which each `cargo xtask` carries these options.
    fn in_text(&self, text: &str) -> String {
        let mut parts = text.split("cargo xtask ");
        let mut prefixed = parts.next().unwrap_or_default().to_owned();
        for rest in parts {
            // These name a target themselves.
            let other = rest.starts_with("--on ")
                || rest.starts_with("minikube") && !self.target.starts_with("--on minikube ");
            let target = if other { "" } else { &self.target };
            prefixed += &format!("cargo xtask {target}{}{rest}", self.state);
        }
        prefixed
    }
}

/// Prints events.
pub struct Ui {
    style: Style,
    terminal: bool,
    bars: MultiProgress,
    live: Mutex<HashMap<String, Live>>,
    prefix: Arc<Mutex<CommandPrefix>>,
}

struct Live {
    bar: ProgressBar,
    /// What it was last said to wait for.
    waiting: String,
    /// The last tenth that was printed where there is no terminal.
    tenth: u64,
}

impl Ui {
    /// Looks once at what standard error is.
    pub fn new(style: Style) -> Ui {
        let terminal = std::io::stderr().is_terminal();
        let draws = terminal && !style.json && !style.commands && !style.quiet;
        let target = if draws {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Ui {
            style,
            terminal: draws,
            bars: MultiProgress::with_draw_target(target),
            live: Mutex::default(),
            prefix: Arc::default(),
        }
    }

    /// Another way to print beside this one, with the same prefix of commands.
    pub fn restyled(&self, style: Style) -> Ui {
        Ui {
            prefix: Arc::clone(&self.prefix),
            ..Ui::new(style)
        }
    }

    /// Makes every command that is printed for the user from here on carry these options.
    pub fn set_prefix(&self, prefix: CommandPrefix) {
        *self.prefix() = prefix;
    }

    /// A text for the user in which each `cargo xtask` leads to the state directory and
    /// target of this run.
    pub fn with_prefix(&self, text: &str) -> String {
        self.prefix().in_text(text)
    }

    fn prefix(&self) -> MutexGuard<'_, CommandPrefix> {
        self.prefix.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The form it was made with.
    pub fn style(&self) -> Style {
        self.style
    }

    /// A result: a line on standard output for a person, nothing with `--json`.
    /// `false` where nobody reads it any more.
    pub fn say(&self, line: impl AsRef<str>) -> bool {
        let write = || writeln!(std::io::stdout().lock(), "{}", line.as_ref()).is_ok();
        self.style.json || self.bars.suspend(write)
    }

    /// Sentences: at a terminal that is narrower, lines end between two words.
    pub fn tell(&self, text: impl AsRef<str>) -> bool {
        let terminal = console::Term::stdout();
        let columns = terminal.is_term().then(|| terminal.size().1);
        self.say(folded(
            text.as_ref(),
            columns.map_or(usize::MAX, usize::from),
        ))
    }

    /// What to type next, for whoever did not ask for results only.
    pub fn next(&self, command: &str) {
        if !self.style.quiet {
            self.say(format!("next: {}", self.with_prefix(command)));
        }
    }

    /// A remark: a line on standard error for a person who did not ask for quiet.
    pub fn note(&self, line: impl AsRef<str>) {
        if !self.style.json && !self.style.quiet {
            self.bars.suspend(|| complain(line.as_ref()));
        }
    }

    /// One JSON document on standard output, only with `--json`. `false` where
    /// nobody reads it any more.
    pub fn event(&self, event: &impl Serialize) -> bool {
        if !self.style.json {
            return true;
        }
        let Ok(text) = serde_json::to_string(event) else {
            return false;
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).is_ok()
    }

    /// The last word: the JSON `result`, or the error for a person.
    pub fn result(&self, command: &str, outcome: Result<Value, &Fail>) {
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

    /// What went wrong, for a person.
    pub fn error(&self, fail: &Fail) {
        // The tool's own words, unless it is known what they mean.
        let shown = if fail.known && !self.style.verbose {
            &[]
        } else {
            fail.tail.as_slice()
        };
        for line in shown {
            complain(&format!("  | {}", printable(line)));
        }
        complain(&format!(
            "{} {}",
            style("error:").for_stderr().red().bold(),
            printable(&fail.what)
        ));
        for hint in &fail.hints {
            complain(&format!(
                "{} {}",
                style("hint:").for_stderr().cyan(),
                self.with_prefix(hint)
            ));
        }
    }

    /// A step begins.
    fn start(&self, step: StepRef<'_>) {
        self.event(
            &json!({"event": "start", "step": step.name, "number": step.number, "of": step.of}),
        );
        let bar = self
            .bars
            .add(ProgressBar::new_spinner().with_style(spinner()));
        if self.terminal {
            bar.set_prefix(format!("{}/{}", step.number, step.of));
            bar.set_message(step.title.to_owned());
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        let live = Live {
            bar,
            waiting: String::new(),
            tenth: 0,
        };
        self.live().insert(step.name.to_owned(), live);
    }

    /// A command of a step is about to run.
    fn command(&self, step: StepRef<'_>, line: &str) {
        self.event(&json!({"event": "command", "step": step.name, "line": line}));
        if self.style.commands {
            self.note(format!("$ {line}"));
        }
    }

    /// A line that a command printed.
    fn output(&self, step: StepRef<'_>, line: &str) {
        if self.style.verbose {
            self.line(step, line);
        }
    }

    /// What a step waits for, told once.
    fn waiting(&self, step: StepRef<'_>, text: &str) {
        let mut live = self.live();
        let Some(entry) = live.get_mut(step.name) else {
            return;
        };
        if entry.waiting == text {
            return;
        }
        entry.waiting = text.to_owned();
        if self.terminal {
            let message = format!("{} ({})", step.title, printable(text));
            entry.bar.set_message(message);
        }
        drop(live);
        self.event(&json!({"event": "wait", "step": step.name, "for": text}));
    }

    fn trouble(&self, step: StepRef<'_>, lines: &[String]) {
        self.event(&json!({"event": "trouble", "step": step.name, "lines": lines}));
        for line in lines {
            self.note(format!("  {}", printable(line)));
        }
    }

    fn line(&self, step: StepRef<'_>, line: &str) {
        self.event(&json!({"event": "output", "step": step.name, "line": line}));
        self.note(format!("  {}: {}", step.name, printable(line)));
    }

    /// How far a step is. `total` is a good guess, not a promise.
    fn progress(&self, step: StepRef<'_>, done: u64, total: u64) {
        let mut live = self.live();
        let Some(entry) = live.get_mut(step.name) else {
            return;
        };
        if entry.bar.length() != Some(total) {
            entry.bar.set_style(bar());
            entry.bar.set_length(total);
        }
        entry.bar.set_position(done.min(total));
        let tenth = done.min(total) * 10 / total.max(1);
        if tenth > entry.tenth {
            entry.tenth = tenth;
            drop(live);
            self.event(
                &json!({"event": "progress", "step": step.name, "done": done, "total": total}),
            );
            if !self.terminal {
                self.note(format!(
                    "[{}/{}] {}: {done} of {total}",
                    step.number, step.of, step.name
                ));
            }
        }
    }

    /// A step had been done before.
    fn skipped(&self, step: StepRef<'_>, seen: &str) {
        self.event(&json!({"event": "skip", "step": step.name, "seen": seen}));
        self.close(step);
        if self.style.verbose {
            self.note(format!(
                "[{}/{}] {}: {seen}",
                step.number, step.of, step.name
            ));
        }
    }

    /// A step is done.
    fn done(&self, step: StepRef<'_>, took: Duration) {
        let seconds = (took.as_secs_f64() * 1000.0).round() / 1000.0;
        self.event(&json!({"event": "done", "step": step.name, "seconds": seconds}));
        self.close(step);
        self.note(format!(
            "{} [{}/{}] {}: {} ({seconds:.1} s)",
            style("✓").for_stderr().green(),
            step.number,
            step.of,
            step.name,
            step.title
        ));
    }

    /// A step failed.
    fn failed(&self, step: StepRef<'_>, fail: &Fail) {
        self.event(&with(
            json!({"event": "fail", "step": step.name}),
            self.failure(fail),
        ));
        self.close(step);
        self.note(format!(
            "{} [{}/{}] {}: {}",
            style("✗").for_stderr().red(),
            step.number,
            step.of,
            step.name,
            step.title
        ));
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

    fn close(&self, step: StepRef<'_>) {
        if let Some(live) = self.live().remove(step.name) {
            live.bar.finish_and_clear();
            self.bars.remove(&live.bar);
        }
    }

    fn live(&self) -> MutexGuard<'_, HashMap<String, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reporter for Ui {
    fn plan(&self, plan: &Plan) {
        let steps: Vec<Value> = plan
            .steps
            .iter()
            .map(|step| json!({"name": step.name, "title": step.title, "needs": step.needs}))
            .collect();
        self.event(&json!({"event": "plan", "command": plan.command, "steps": steps}));
    }

    fn step(&self, step: StepRef<'_>, event: StepEvent<'_>) {
        match event {
            StepEvent::Started => self.start(step),
            StepEvent::Command(line) => self.command(step, line),
            StepEvent::Output(line) => self.output(step, line),
            StepEvent::Progress { done, total } => self.progress(step, done, total),
            StepEvent::Waiting(text) => self.waiting(step, text),
            StepEvent::Trouble(lines) => self.trouble(step, lines),
            StepEvent::Line(line) => self.line(step, line),
            StepEvent::Skipped(seen) => self.skipped(step, seen),
            StepEvent::Done(took) => self.done(step, took),
            StepEvent::Failed(fail) => self.failed(step, fail),
            StepEvent::Blocked(by) => {
                self.event(&json!({"event": "blocked", "step": step.name, "by": by}));
            }
        }
    }
}

/// A line on standard error, in one piece: a pipe beside it may print at any moment.
fn complain(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// A text in lines of at most so many columns, where its words allow that.
fn folded(text: &str, columns: usize) -> String {
    let mut folded = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let width = console::measure_text_width(word);
        if column > 0 && column + 1 + width > columns {
            folded.push('\n');
            column = 0;
        } else if column > 0 {
            folded.push(' ');
            column += 1;
        }
        folded += word;
        column += width;
    }
    folded
}

/// An object with the fields of another after its own.
fn with(mut object: Value, more: Value) -> Value {
    if let (Some(object), Value::Object(mut more)) = (object.as_object_mut(), more) {
        object.append(&mut more);
    }
    object
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {prefix} {elapsed:>4} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn bar() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {prefix} {elapsed:>4} {pos}/{len} {bar:20} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words() {
        assert_eq!(folded("one two three", 8), "one two\nthree");
        assert_eq!(folded("one two three", 7), "one two\nthree");
        assert_eq!(folded("one two three", 6), "one\ntwo\nthree");
        assert_eq!(folded("one two three", 2), "one\ntwo\nthree");
        assert_eq!(folded("one  two", usize::MAX), "one  two");
        assert_eq!(folded("✓ — ✓", 5), "✓ — ✓");
        assert_eq!(folded("", 5), "");
    }
}
