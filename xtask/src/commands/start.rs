//! `start`: what brings the servers up.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App, PlanOptions};
use crate::target::PortOptions;

/// Start what does not run; on a cluster: the forwards from this machine
#[derive(Debug, Args)]
pub(crate) struct StartCommand {
    /// The components [default: all]
    components: Vec<String>,
    /// Where they listen.
    #[command(flatten)]
    ports: PortOptions,
    /// How to run the plan.
    #[command(flatten)]
    plan: PlanOptions,
}

impl StartCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        // What cannot be started must not make a state directory.
        let ports = app.ports(self.ports)?.port_base;
        app.target()?.start(&self.components, ports)?;
        let ran = app.change("start", &self.plan, |target| {
            target.start(&self.components, ports)
        })?;
        let Some((_, changed)) = ran else {
            return Ok(Answer::printed());
        };
        app.ui.say(if changed.changed {
            "started"
        } else {
            "nothing to do: everything runs"
        });
        Ok(Answer::result(changed))
    }
}
