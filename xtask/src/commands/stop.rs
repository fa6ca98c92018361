//! `stop`: what brings the servers down.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App, PlanOptions};

/// Stop what runs
#[derive(Debug, Args)]
pub(crate) struct StopCommand {
    /// The components [default: all]
    components: Vec<String>,
    /// How to run the plan.
    #[command(flatten)]
    plan: PlanOptions,
}

impl StopCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let ran = app.change("stop", &self.plan, |target| target.stop(&self.components))?;
        let Some((_, changed)) = ran else {
            return Ok(Answer::printed());
        };
        app.ui.say(if changed.changed {
            "stopped"
        } else {
            "nothing to do: nothing runs"
        });
        Ok(Answer::result(changed))
    }
}
