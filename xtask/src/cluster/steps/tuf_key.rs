//! `step tuf-key`: the TUF repository that this machine makes has another key for all roles
//! but the root.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::plan::{Step, StepArgs, StepEvent, Word};

/// Make another key for the roles of the TUF repository
#[derive(Debug, PartialEq, Args)]
pub(crate) struct TufKey {}

impl StepArgs for TufKey {
    const NAME: &'static str = "tuf-key";

    fn arguments(&self) -> Vec<Word> {
        Vec::new()
    }
}

impl TufKey {
    /// The name of the step.
    pub(in crate::cluster) const STEP: &'static str = "tuf-key";

    /// The step that makes it. It is never done: an earlier one may have been used.
    pub(in crate::cluster) fn step(cluster: &Cluster) -> Step {
        let cluster = cluster.clone();
        let title = "make another key for the roles of the TUF repository";
        Step::new(TufKey::STEP, title)
            .done(move || {
                cluster.require_tuf_root_key()?;
                Ok(None)
            })
            .xtask(TufKey {})
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        cluster.renew_tuf_key()
    }
}
