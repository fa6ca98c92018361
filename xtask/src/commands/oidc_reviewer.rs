//! `oidc-reviewer`: anonymous reading of the discovery document.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App, StageArgs};
use crate::target::InstallStage;

/// Let everybody read the cluster's OIDC discovery document and its public keys
#[derive(Debug, Args)]
pub(crate) struct OidcReviewerCommand {
    #[command(flatten)]
    stage: StageArgs,
}

impl OidcReviewerCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        self.stage.run(app, InstallStage::OidcReviewer)
    }
}
