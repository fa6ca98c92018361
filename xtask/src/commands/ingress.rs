//! `ingress`: the ingress controller of minikube.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App, StageArgs};
use crate::target::InstallStage;

/// Enable minikube's ingress controller and show Fulcio and Rekor through it
#[derive(Debug, Args)]
pub(crate) struct IngressCommand {
    #[command(flatten)]
    stage: StageArgs,
}

impl IngressCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        self.stage.run(app, InstallStage::Ingress)
    }
}
