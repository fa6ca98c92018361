//! `issuer`: the issuer of the certificates in the cluster.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App, StageArgs};
use crate::target::InstallStage;

/// Add an issuer of self-signed certificates
#[derive(Debug, Args)]
pub(crate) struct IssuerCommand {
    #[command(flatten)]
    stage: StageArgs,
}

impl IssuerCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        self.stage.run(app, InstallStage::Issuer)
    }
}
