//! `minikube`: a minikube whose issuer Fulcio believes.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App, StageArgs};
use crate::target::InstallStage;

/// Start minikube with an issuer that Fulcio believes, and choose it for the commands to come
#[derive(Debug, Args)]
pub(crate) struct MinikubeCommand {
    #[command(flatten)]
    stage: StageArgs,
}

impl MinikubeCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        self.stage.run(app, InstallStage::Minikube)
    }
}
