//! `step launch` of a cluster: a port-forward is started, detached.

use anyhow::Result;
use clap::Args;

use crate::cluster::{Cluster, forwards};
use crate::plan::{StepArgs, StepEvent, Word};
use crate::words;

/// Start a forward into the cluster, detached
#[derive(Debug, PartialEq, Args)]
pub(crate) struct LaunchForward {
    /// Its name.
    pub(crate) component: String,
    /// Its command line.
    #[arg(last = true, required = true)]
    pub(crate) words: Vec<String>,
}

impl StepArgs for LaunchForward {
    const NAME: &'static str = "launch";

    fn arguments(&self) -> Vec<Word> {
        let mut words = words![&self.component, "--"];
        words.extend(self.words.iter().map(Word::from));
        words
    }
}

impl LaunchForward {
    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        forwards::launch(&cluster.dir, &self.component, &self.words)
    }
}
