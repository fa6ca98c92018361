//! `step`: what `--dry-run` prints for steps that are done in this program.

use anyhow::Result;
use serde_json::Value;

use super::App;
use crate::book::BookStep;
use crate::exec::interrupt;
use crate::plan::{StepEvent, StepRunner, step_command};
use crate::target::TargetKind;
use crate::text::printable;
use crate::walkthrough::steps::ResetRunner;

pub fn run(app: &App, words: &[String]) -> Result<Option<Value>> {
    let report = |event: StepEvent<'_>| match event {
        StepEvent::Trouble(lines) => lines.iter().for_each(|line| app.ui.note(line)),
        StepEvent::Line(line) => drop(app.ui.say(printable(line))),
        _ => {}
    };
    let made = if step_command::is_of::<BookStep>(words) {
        step_command::parse::<BookStep>(words)
            .map_err(Into::into)
            .and_then(|step| step.run(&app.repo, &report))
    } else {
        // A step that stops a server is part of a removal.
        let target = app.target_to_remove()?;
        let kind = app.on.0;
        let _watch = (kind != TargetKind::Local).then(interrupt::watch);
        let runner = ResetRunner {
            target: target.as_ref(),
            state: &app.state,
            kind,
        };
        runner.xtask(words, &report)
    };
    // What was typed wrongly, and what was asked for with `--help`.
    if let Err(error) = &made
        && let Some(error) = error.downcast_ref::<clap::Error>()
    {
        error.exit();
    }
    made.map(|_| None)
}
