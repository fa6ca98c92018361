//! `step accept-next-key`: the CT log takes the certificates of Fulcio's next authority.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::cluster::kubectl::Kubectl;
use crate::cluster::rotation::next_key;
use crate::plan::{Step, StepArgs, StepEvent, Word};

/// Have the CT log accept Fulcio's next authority
#[derive(Debug, PartialEq, Args)]
pub(crate) struct AcceptNext {}

impl StepArgs for AcceptNext {
    const NAME: &'static str = "accept-next-key";

    fn arguments(&self) -> Vec<Word> {
        Vec::new()
    }
}

impl AcceptNext {
    /// The step that has it accepted beside the authority of now. A CT log that learns of
    /// it later would refuse what Fulcio signs until then.
    pub(in crate::cluster) fn step(kubectl: &Kubectl) -> Step {
        let kubectl = kubectl.clone();
        let title = "have the CT log accept the next authority";
        Step::new(AcceptNext::NAME, title)
            .done(move || {
                let accepted = next_key::authority_is_accepted(&kubectl)?;
                Ok(accepted.then(|| "it does".to_owned()))
            })
            .xtask(AcceptNext {})
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        next_key::accept_authority(&cluster.kubectl()?)
    }
}
