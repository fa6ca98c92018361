//! `trust`: trusted root and signing config.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App, StageArgs};
use crate::target::InstallStage;

/// Write the trusted root and the signing config, as files and for the Jobs
#[derive(Debug, Args)]
pub(crate) struct TrustCommand {
    #[command(flatten)]
    stage: StageArgs,
}

impl TrustCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        self.stage.run(app, InstallStage::Trust)
    }
}
