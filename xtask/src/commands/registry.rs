//! `registry`: the registry of the cluster.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App, StageArgs};
use crate::target::InstallStage;

/// Start a registry with TLS inside the cluster
#[derive(Debug, Args)]
pub(crate) struct RegistryCommand {
    #[command(flatten)]
    stage: StageArgs,
}

impl RegistryCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        self.stage.run(app, InstallStage::Registry)
    }
}
