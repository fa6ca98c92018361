//! `restart`: the servers down and up again.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App, PlanOptions};
use crate::target::PortOptions;

/// Stop and start
#[derive(Debug, Args)]
pub(crate) struct RestartCommand {
    /// The components [default: all]
    components: Vec<String>,
    /// Where they listen.
    #[command(flatten)]
    ports: PortOptions,
    /// How to run the plan.
    #[command(flatten)]
    plan: PlanOptions,
}

impl RestartCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let ports = app.ports(self.ports)?.port_base;
        let ran = app.change("restart", &self.plan, |target| {
            target.restart(&self.components, ports)
        })?;
        let Some((_, changed)) = ran else {
            return Ok(Answer::printed());
        };
        app.ui.say(if changed.changed {
            "restarted"
        } else {
            "nothing to do"
        });
        Ok(Answer::result(changed))
    }
}
