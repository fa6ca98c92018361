//! `step next-key`: the next key of a server is made, beside the one that it has.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::cluster::copies::next_of;
use crate::cluster::kubectl::Kubectl;
use crate::cluster::rotation::{self, Turning};
use crate::cluster::servers::Maker;
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::words;

/// Have the next key of a server made
#[derive(Debug, PartialEq, Args)]
pub(crate) struct MakeNext {
    /// Whose key.
    pub(crate) server: Turning,
}

impl StepArgs for MakeNext {
    const NAME: &'static str = "next-key";

    fn arguments(&self) -> Vec<Word> {
        words![self.server.name()]
    }
}

impl MakeNext {
    /// The step that has it made, by what made the first one; it is done where it is
    /// there.
    pub(in crate::cluster) fn step(kubectl: &Kubectl, server: Turning) -> Result<Step> {
        let asked = kubectl.clone();
        let title = format!("have the next key of {} made", server.name());
        let step = Step::new(MakeNext::NAME, title).done(move || {
            let there = next_of(&asked, server.server())?;
            Ok(there.map(|_| "it is made".to_owned()))
        });
        Ok(match server.next()?.maker {
            Maker::Certificate(manifest) => step.run(kubectl.apply_manifests(&[manifest])),
            Maker::Job(_) | Maker::Here => step.xtask(MakeNext { server }),
        })
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        rotation::make(&cluster.kubectl()?, &cluster.helm()?, self.server)
    }
}
