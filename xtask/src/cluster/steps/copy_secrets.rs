//! `step copy-secrets`: public keys come to where images are signed.

use anyhow::Result;
use clap::Args;

use crate::cluster::{Cluster, copies};
use crate::plan::{Step, StepArgs, StepEvent, Word};

/// Copy the public parts of Secrets to where images are signed
#[derive(Debug, PartialEq, Args)]
pub(crate) struct CopySecrets {}

impl StepArgs for CopySecrets {
    const NAME: &'static str = "copy-secrets";

    fn arguments(&self) -> Vec<Word> {
        Vec::new()
    }
}

impl CopySecrets {
    /// The step that copies them; it is done where the copies are what the Secrets are.
    pub(in crate::cluster) fn step(cluster: &Cluster) -> Result<Step> {
        let (kubectl, rekor) = (cluster.kubectl()?, cluster.settings()?.rekor);
        let title = "copy the public keys to the namespace default";
        Ok(Step::new("copy-secrets", title)
            .done(move || {
                let current = copies::are_current(&kubectl, rekor)?;
                Ok(current.then(|| "they are the same".to_owned()))
            })
            .xtask(CopySecrets {}))
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        copies::copy(&cluster.kubectl()?, cluster.settings()?.rekor)
    }
}
