//! `step timestamp-key`: the key and the certificates of the timestamp authority.

use anyhow::Result;
use clap::Args;

use crate::cluster::conditions::all_hold;
use crate::cluster::kubectl::Kubectl;
use crate::cluster::servers::TIMESTAMP;
use crate::cluster::{Cluster, timestamp_authority};
use crate::plan::{Step, StepArgs, StepEvent, Word};

/// Make the key and the certificates of the timestamp authority, where there are none
#[derive(Debug, PartialEq, Args)]
pub(crate) struct TimestampKey {}

impl StepArgs for TimestampKey {
    const NAME: &'static str = "timestamp-key";

    fn arguments(&self) -> Vec<Word> {
        Vec::new()
    }
}

impl TimestampKey {
    /// The name of the step.
    pub(in crate::cluster) const STEP: &'static str = "timestamp-key";

    /// The step that makes them, which cert-manager cannot: it makes no certificate whose
    /// usage is critical.
    pub(in crate::cluster) fn step(kubectl: &Kubectl) -> Step {
        let kubectl = kubectl.clone();
        let title = "make the key and the certificates of the timestamp authority";
        Step::new(TimestampKey::STEP, title)
            .done(move || {
                let made = &timestamp_authority::MADE;
                let there = all_hold(&kubectl, TIMESTAMP.namespace, made)?;
                Ok(there.then(|| "they are there".to_owned()))
            })
            .xtask(TimestampKey {})
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        timestamp_authority::make(&cluster.kubectl()?, timestamp_authority::SECRET)
    }
}
