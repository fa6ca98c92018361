//! `rotate`: a key, replaced by a new one.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App, PlanOptions};
use crate::target::RotatedKey;

/// Replace a key; what it signed stays verifiable
#[derive(Debug, Args)]
pub(crate) struct RotateCommand {
    /// Which key
    #[arg(value_enum)]
    key: RotatedKey,
    /// How to run the plan.
    #[command(flatten)]
    plan: PlanOptions,
}

impl RotateCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let ran = app.change("rotate", &self.plan, |target| target.rotate(self.key))?;
        let Some((_, changed)) = ran else {
            return Ok(Answer::printed());
        };
        app.ui
            .say("the key is replaced, and what the old one signed stays verifiable");
        Ok(Answer::result(changed))
    }
}
