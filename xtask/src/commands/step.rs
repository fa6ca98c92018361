//! `step`: one step of a plan, as `--dry-run` prints it.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App};
use crate::book;
use crate::cli::StepCommand as Steps;
use crate::exec::interrupt;
use crate::plan::run::Said;
use crate::target::TargetKind;
use crate::text::printable;

/// One step of a plan: what `--dry-run` prints for steps done in this program
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct StepCommandLine {
    /// Which.
    #[command(subcommand)]
    step: Steps,
}

impl StepCommandLine {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let say = |said: Said<'_>| match said {
            Said::Waiting(_) => {}
            Said::Trouble(lines) => lines.iter().for_each(|line| app.ui.note(line)),
            Said::Line(line) => drop(app.ui.say(printable(line))),
        };
        match (app.chosen.kind, &self.step) {
            (_, Steps::Pages { output }) => book::gather(&app.repo, output),
            (TargetKind::Local, Steps::Halt { .. }) => app.local_to_remove()?.step(self.step),
            (TargetKind::Local, _) => app.local()?.step(self.step),
            _ => {
                let _watch = interrupt::watch();
                app.cluster()?.step(self.step, &say)
            }
        }?;
        Ok(Answer::printed())
    }
}
