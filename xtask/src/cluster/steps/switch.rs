//! `step switch`: a server takes its next key.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::cluster::kubectl::Kubectl;
use crate::cluster::rotation::{Turning, is_taken, switch};
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::words;

/// Give a server its next key
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Switch {
    /// Which server.
    pub(crate) server: Turning,
}

impl StepArgs for Switch {
    const NAME: &'static str = "switch";

    fn arguments(&self) -> Vec<Word> {
        words![self.server.name()]
    }
}

impl Switch {
    /// The step that gives it; it is done where pods that began with it are up, and no
    /// others.
    pub(in crate::cluster) fn step(kubectl: &Kubectl, server: Turning) -> Step {
        let kubectl = kubectl.clone();
        let title = format!("give {} its next key, in new pods", server.name());
        Step::new(Switch::NAME, title)
            .done(move || {
                let taken = is_taken(&kubectl, server)?;
                Ok(taken.then(|| "it has it".to_owned()))
            })
            .xtask(Switch { server })
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        switch(&cluster.kubectl()?, self.server)
    }
}
