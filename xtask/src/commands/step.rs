//! `step`: one step of a plan, as `--dry-run` prints it.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App};
use crate::book::BookStep;
use crate::evidence::steps::{EvidenceStep, Prover};
use crate::exec::interrupt;
use crate::plan::{StepArgs, StepEvent, StepRunner, StepValue, step_args};
use crate::target::steps::Token;
use crate::text::printable;
use crate::walkthrough::Milestone;
use crate::walkthrough::steps::ResetRunner;

/// One step of a plan: what `--dry-run` prints for steps done in this program
#[derive(Debug, Args)]
#[command(hide = true, disable_help_flag = true)]
pub(crate) struct StepCommand {
    /// Which, and its arguments: what they may be is for the target to say.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

impl StepCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let report = |event: StepEvent<'_>| match event {
            StepEvent::Trouble(lines) => lines.iter().for_each(|line| app.ui.note(line)),
            StepEvent::Line(line) => drop(app.ui.say(printable(line))),
            _ => {}
        };
        let made = self.made(app, &report);
        // What was typed wrongly, and what was asked for with `--help`.
        if let Err(error) = &made
            && let Some(error) = error.downcast_ref::<clap::Error>()
        {
            error.exit();
        }
        made?;
        let token = self.words.first().is_some_and(|word| word == Token::NAME);
        Ok(Answer::printed().milestone(token.then_some(Milestone::Token)))
    }

    fn made(&self, app: &App, report: &dyn Fn(StepEvent<'_>)) -> Result<StepValue> {
        if step_args::is_of::<BookStep>(&self.words) {
            return step_args::parse::<BookStep>(&self.words)?.run(&app.repo, report);
        }
        // A step that stops a server is part of a removal.
        let target = app.target_to_remove()?;
        let _watch = target.heeds_interrupts().then(interrupt::watch);
        if step_args::is_of::<EvidenceStep>(&self.words) {
            let target = app.has_installation().then_some(target.as_ref());
            return Prover { target }.xtask(&self.words, report);
        }
        let runner = ResetRunner {
            target: target.as_ref(),
            state: &app.state,
            kind: app.chosen.kind,
        };
        runner.xtask(&self.words, report)
    }
}
