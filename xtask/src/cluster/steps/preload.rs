//! `step preload`: one image comes into minikube before it is needed.

use anyhow::Result;
use clap::Args;

use crate::cluster::{Cluster, images};
use crate::plan::{StepArgs, StepEvent, Word};
use crate::words;

/// Fetch an image into minikube, where that is possible
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Preload {
    /// Which one.
    pub(crate) image: String,
}

impl StepArgs for Preload {
    const NAME: &'static str = "preload";

    fn arguments(&self) -> Vec<Word> {
        words![&self.image]
    }
}

impl Preload {
    pub(crate) fn run(self, cluster: &Cluster, report: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        images::preload(&cluster.minikube()?, &self.image, report);
        Ok(())
    }
}
