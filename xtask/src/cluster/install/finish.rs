//! The end of an install: the copies of public keys, and the trust material.

use anyhow::Result;

use super::scaffold;
use crate::cluster::steps::{ClusterTrust, CopySecrets};
use crate::cluster::{Cluster, copies};
use crate::plan::Step;

impl Cluster {
    pub(super) fn copy_step(&self) -> Result<Step> {
        let kubectl = self.kubectl()?;
        let title = "copy the public keys to the namespace default";
        Ok(Step::new("copy-secrets", title)
            .needs([scaffold::REKOR_KEY, "scaffold-fulcio", "scaffold-ctlog"])
            .done(move || {
                let current = copies::are_current(&kubectl)?;
                Ok(current.then(|| "they are the same".to_owned()))
            })
            .xtask(CopySecrets {}))
    }

    pub(super) fn trust_step(&self) -> Result<Step> {
        let title = "write the trusted root and the signing config";
        let mut step = Step::new("trust", title).needs(["copy-secrets", "registry-certificate"]);
        if self.settings()?.ingress.is_some() {
            step = step.needs(scaffold::ingress_steps());
        }
        let cluster = self.clone();
        Ok(step
            .done(move || {
                let current = cluster.trust_is_current()?;
                Ok(current.then(|| "they are what the keys say".to_owned()))
            })
            .xtask(ClusterTrust {}))
    }
}
