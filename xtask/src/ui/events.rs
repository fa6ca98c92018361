//! A running plan as a person or a script sees it: what happens to each step.

use std::sync::PoisonError;
use std::time::Duration;

use console::style;
use serde_json::{Value, json};

use super::crowd::Crowd;
use super::{Style, Ui, with};
use crate::fail::Fail;
use crate::plan::{Plan, Reporter, StepEvent, StepRef};
use crate::text::printable;

impl Reporter for Ui {
    fn plan(&self, plan: &Plan) {
        let steps: Vec<Value> = plan
            .steps
            .iter()
            .map(|step| json!({"name": step.name, "title": step.title, "needs": step.needs}))
            .collect();
        self.event(&json!({"event": "plan", "command": plan.command, "steps": steps}));
        self.crowd.begin(plan);
        if let Some(total) = self.crowd.total() {
            self.bars.start(Crowd::step(total));
        }
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
            StepEvent::Skipped(_)
            | StepEvent::Done(_)
            | StepEvent::Failed(_)
            | StepEvent::Blocked(_) => self.end(step, event),
        }
    }
}

impl Ui {
    /// A step begins.
    fn start(&self, step: StepRef<'_>) {
        self.event(
            &json!({"event": "start", "step": step.name, "number": step.number, "of": step.of}),
        );
        if self.crowd.total().is_none() {
            self.bars.start(step);
        }
    }

    /// A step ends. Steps end side by side, and are counted and told one after the other.
    fn end(&self, step: StepRef<'_>, event: StepEvent<'_>) {
        let _one = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            StepEvent::Skipped(seen) => self.skipped(step, seen),
            StepEvent::Done(took) => self.done(step, took),
            StepEvent::Failed(fail) => self.failed(step, fail),
            StepEvent::Blocked(by) => {
                self.event(&json!({"event": "blocked", "step": step.name, "by": by}));
                self.ended(step);
            }
            _ => {}
        }
    }

    /// A step has ended: how many have by now, where it has a line of its own.
    fn ended(&self, step: StepRef<'_>) -> Option<u64> {
        let ended = self.crowd.end();
        let Some(total) = self.crowd.total() else {
            self.bars.close(step);
            return Some(ended);
        };
        let all = Crowd::step(total);
        if self.bars.advance(all, ended, total) && !self.bars.draws() {
            self.note(format!("{ended} of {total} steps"));
        }
        if ended == total {
            self.bars.close(all);
        }
        self.style.verbose.then_some(ended)
    }

    /// A command of a step is about to run.
    fn command(&self, step: StepRef<'_>, line: &str) {
        self.event(&json!({"event": "command", "step": step.name, "line": line}));
        match self.style {
            Style {
                commands: false, ..
            } => {}
            Style { brief: true, .. } => self.brief_command(line),
            _ => self.note(format!("$ {line}")),
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
        if self.bars.waits(step, text) {
            self.event(&json!({"event": "wait", "step": step.name, "for": text}));
        }
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
        if !self.bars.advance(step, done, total) {
            return;
        }
        self.event(&json!({"event": "progress", "step": step.name, "done": done, "total": total}));
        if !self.bars.draws() {
            self.note(format!("{}: {done} of {total}", step.name));
        }
    }

    /// A step had been done before.
    fn skipped(&self, step: StepRef<'_>, seen: &str) {
        self.event(&json!({"event": "skip", "step": step.name, "seen": seen}));
        let ended = self.ended(step);
        if let Some(ended) = ended.filter(|_| self.style.verbose) {
            self.note(format!("[{ended}/{}] {}: {seen}", step.of, step.name));
        }
    }

    /// A step is done.
    fn done(&self, step: StepRef<'_>, took: Duration) {
        let seconds = (took.as_secs_f64() * 1000.0).round() / 1000.0;
        self.event(&json!({"event": "done", "step": step.name, "seconds": seconds}));
        let Some(ended) = self.ended(step) else {
            return;
        };
        self.note_sentence(format!(
            "{} [{ended}/{}] {}: {} ({seconds:.1} s)",
            style("✓").for_stderr().green(),
            step.of,
            step.name,
            printable(step.title)
        ));
    }

    /// A step failed.
    fn failed(&self, step: StepRef<'_>, fail: &Fail) {
        self.event(&with(
            json!({"event": "fail", "step": step.name}),
            self.failure(fail),
        ));
        let ended = self.ended(step);
        // One of many that are alike is named all the same.
        let ended = ended.map_or_else(String::new, |ended| format!("[{ended}/{}] ", step.of));
        self.note_sentence(format!(
            "{} {ended}{}: {}",
            style("✗").for_stderr().red(),
            step.name,
            printable(step.title)
        ));
    }
}
