//! `step retire` of a cluster: the former key of a server counts no longer for what is
//! signed from now on.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::cluster::rotation::turning;
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::target::RotatedKey;
use crate::words;

/// End the period of the key that was replaced
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Retire {
    /// Which key.
    pub(crate) key: RotatedKey,
}

impl StepArgs for Retire {
    const NAME: &'static str = "retire";

    fn arguments(&self) -> Vec<Word> {
        words![self.key.name()]
    }
}

impl Retire {
    /// The step that writes the end into the trusted root. No pod signs with that key any
    /// more.
    pub(in crate::cluster) fn step(cluster: &Cluster, key: RotatedKey) -> Step {
        let cluster = cluster.clone();
        let title = "end the period of the key that was replaced";
        Step::new(Retire::NAME, title)
            .done(move || {
                let ended = turning(key, cluster.settings()?.rekor)?;
                let ended = cluster.trust_is_current(&ended)?;
                Ok(ended.then(|| "it has ended".to_owned()))
            })
            .xtask(Retire { key })
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let ended = turning(self.key, cluster.settings()?.rekor)?;
        cluster.write_trust(&ended)
    }
}
