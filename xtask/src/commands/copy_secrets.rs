//! `copy-secrets`: the public keys, where images are signed.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App, StageArgs};
use crate::target::InstallStage;

/// Copy the public keys of Fulcio, Rekor and the CT log to where images are signed
#[derive(Debug, Args)]
pub(crate) struct CopySecretsCommand {
    #[command(flatten)]
    stage: StageArgs,
}

impl CopySecretsCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        self.stage.run(app, InstallStage::CopySecrets)
    }
}
