//! `preflight`: what the machine has, all findings at once.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App};
use crate::preflight::{self, Findings};
use crate::target::PreflightOptions;

/// Check that the machine has what the target needs, all findings at once
#[derive(Debug, Args)]
pub(crate) struct PreflightCommand {
    /// For which installation.
    #[command(flatten)]
    options: PreflightOptions,
}

impl PreflightCommand {
    pub(crate) fn run(mut self, app: &App) -> Result<Answer> {
        self.options.ports = app.ports(self.options.ports)?;
        let findings = app.target()?.preflight(&self.options)?;
        for line in preflight::lines(&findings) {
            app.ui.say_row(line, preflight::SECOND);
        }
        let missing = preflight::verdict(&findings).err();
        let ok = missing.is_none();
        Ok(Answer::document(Findings {
            checks: findings,
            ok,
        })
        .but(missing))
    }
}
