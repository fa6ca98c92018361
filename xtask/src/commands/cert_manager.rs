//! `cert-manager`: what makes certificates in the cluster.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App, StageArgs};
use crate::target::InstallStage;

/// Install cert-manager
#[derive(Debug, Args)]
pub(crate) struct CertManagerCommand {
    #[command(flatten)]
    stage: StageArgs,
}

impl CertManagerCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        self.stage.run(app, InstallStage::CertManager)
    }
}
