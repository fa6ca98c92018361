//! `scaffold`: Sigstore itself.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App, StageArgs};
use crate::target::InstallStage;

/// Install Fulcio, Rekor, the CT log and Trillian with the chart sigstore/scaffold
#[derive(Debug, Args)]
pub(crate) struct ScaffoldCommand {
    #[command(flatten)]
    stage: StageArgs,
}

impl ScaffoldCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        self.stage.run(app, InstallStage::Scaffold)
    }
}
