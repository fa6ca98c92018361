//! `rotate`: a key, replaced by a new one.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App, PlanOptions};
use crate::target::{RotateOptions, RotatedKey};

/// Replace a key; what it signed stays verifiable
#[derive(Debug, Args)]
pub(crate) struct RotateCommand {
    /// What is replaced.
    #[command(flatten)]
    asked: RotateOptions,
    /// How to run the plan.
    #[command(flatten)]
    plan: PlanOptions,
}

impl RotateCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let ran = app.change("rotate", &self.plan, |target| target.rotate(&self.asked))?;
        let Some((_, changed)) = ran else {
            return Ok(Answer::printed());
        };
        app.ui.say(match self.asked.key {
            RotatedKey::Users => "the users have new passwords, and no token of before counts",
            RotatedKey::Registry => "the registry has a new key, and its clients go on",
            _ => "the key is replaced, and what the old one signed stays verifiable",
        });
        if let Some(dir) = &self.asked.offline_root {
            let dir = dir.display();
            app.ui.say(format!(
                "the key of the root is in {dir}: keep it elsewhere until the next CA is made"
            ));
        }
        Ok(Answer::result(changed))
    }
}
