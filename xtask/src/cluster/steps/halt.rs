//! `step halt` of a cluster: a port-forward is ended.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::local::process;
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::words;

/// End a forward into the cluster
#[derive(Debug, PartialEq, Args)]
pub(crate) struct HaltForward {
    /// Its name.
    pub(crate) component: String,
}

impl StepArgs for HaltForward {
    const NAME: &'static str = "halt";

    fn arguments(&self) -> Vec<Word> {
        words![&self.component]
    }
}

impl HaltForward {
    /// The step `close-NAME` that ends it; it leads to this server.
    pub(in crate::cluster) fn step(self, name: &str, server: &str) -> Step {
        let title = format!("end the forward to {server}");
        Step::new(format!("close-{name}"), title).xtask(self)
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        process::halt(&cluster.dir, &self.component, &[])
    }
}
