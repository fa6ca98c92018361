//! `step next-key`: the next key of a server is made, beside the one that it has.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::cluster::copies::next_of;
use crate::cluster::kubectl::Kubectl;
use crate::cluster::rotation::{job, turning};
use crate::cluster::servers::{ClusterServer, Maker, NextKey};
use crate::exec::output_of;
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::target::RotatedKey;
use crate::words;

/// Have the next key of a server made
#[derive(Debug, PartialEq, Args)]
pub(crate) struct MakeNext {
    /// Which key.
    pub(crate) key: RotatedKey,
}

impl StepArgs for MakeNext {
    const NAME: &'static str = "next-key";

    fn arguments(&self) -> Vec<Word> {
        words![self.key.name()]
    }
}

impl MakeNext {
    /// The step that has it made, by what made the first one; it is done where it is
    /// there.
    pub(in crate::cluster) fn step(
        kubectl: &Kubectl,
        key: RotatedKey,
        server: &'static ClusterServer,
        next: &NextKey,
    ) -> Step {
        let asked = kubectl.clone();
        let title = format!("have the next key of {} made", server.name);
        let step = Step::new("next-key", title).done(move || {
            let there = next_of(&asked, server)?;
            Ok(there.map(|_| "it is made".to_owned()))
        });
        match next.maker {
            Maker::Certificate(manifest) => step.run(kubectl.apply_manifests(&[manifest])),
            Maker::Job(_) => step.xtask(MakeNext { key }),
        }
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let (server, next) = turning(self.key)?;
        let kubectl = cluster.kubectl()?;
        match next.maker {
            Maker::Certificate(manifest) => {
                output_of(&kubectl.apply_manifests(&[manifest]), None).map(drop)
            }
            Maker::Job(name) => job::start(&kubectl, &cluster.helm()?, name, server, next),
        }
    }
}
