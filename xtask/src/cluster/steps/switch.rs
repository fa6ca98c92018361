//! `step switch`: a server takes its next key.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::cluster::kubectl::Kubectl;
use crate::cluster::rotation::{next_key, turning};
use crate::cluster::servers::{ClusterServer, NextKey};
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::target::RotatedKey;
use crate::words;

/// Give a server its next key
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Switch {
    /// Which key.
    pub(crate) key: RotatedKey,
}

impl StepArgs for Switch {
    const NAME: &'static str = "switch";

    fn arguments(&self) -> Vec<Word> {
        words![self.key.name()]
    }
}

impl Switch {
    /// The step that gives it; it is done where pods that began with it are up, and no
    /// others.
    pub(in crate::cluster) fn step(
        kubectl: &Kubectl,
        key: RotatedKey,
        server: &'static ClusterServer,
        next: &'static NextKey,
    ) -> Step {
        let kubectl = kubectl.clone();
        let title = format!("give {} its next key, in new pods", server.name);
        Step::new(Switch::NAME, title)
            .done(move || {
                let taken = next_key::is_taken(&kubectl, server, next)?;
                Ok(taken.then(|| "it has it".to_owned()))
            })
            .xtask(Switch { key })
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let (server, next) = turning(self.key)?;
        next_key::switch(&cluster.kubectl()?, server, next)
    }
}
