//! `step accept-next-key`: a CT log takes the certificates of Fulcio's next authority.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::cluster::kubectl::Kubectl;
use crate::cluster::rotation::{Turning, accept_authority, authority_is_accepted};
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::words;

/// Have a CT log accept Fulcio's next authority
#[derive(Debug, PartialEq, Args)]
pub(crate) struct AcceptNext {
    /// The log.
    pub(crate) log: Turning,
}

impl StepArgs for AcceptNext {
    const NAME: &'static str = "accept-next-key";

    fn arguments(&self) -> Vec<Word> {
        words![self.log.name()]
    }
}

impl AcceptNext {
    /// The step that has it accepted beside the authority of now. A CT log that learns of
    /// it later would refuse what Fulcio signs until then.
    pub(in crate::cluster) fn step(kubectl: &Kubectl, log: Turning) -> Step {
        let kubectl = kubectl.clone();
        let title = format!("have {} accept the next authority", log.name());
        Step::new(AcceptNext::NAME, title)
            .done(move || {
                let accepted = authority_is_accepted(&kubectl, log)?;
                Ok(accepted.then(|| "it does".to_owned()))
            })
            .xtask(AcceptNext { log })
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        accept_authority(&cluster.kubectl()?, self.log)
    }
}
