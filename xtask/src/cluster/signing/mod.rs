//! The plans of signing and verifying: Jobs in the cluster, or cosign on this machine.

mod in_cluster;
mod on_host;
mod token;

use anyhow::Result;

use super::Cluster;
use super::facts::{CosignPlace, SigningFacts};
use super::object::DEFAULT;
use crate::artifact::Artifact;
use crate::entry::Version;
use crate::fail::broken;
use crate::plan::Plan;
use crate::target::Verification;
use on_host::OnHost;

impl Cluster {
    /// The plan that signs as a service account, into a version of Rekor. It runs nothing: what it has to know are
    /// the facts.
    pub(super) fn sign_plan(
        &self,
        artifacts: &[Artifact],
        account: &str,
        rekor: Version,
        facts: &SigningFacts,
    ) -> Result<Plan> {
        if !facts.account_exists {
            return Err(broken(format!(
                "there is no service account {account:?} in {DEFAULT}"
            ))
            .hint(format!("make it: kubectl create serviceaccount {account}"))
            .into());
        }
        let mut plan = Plan::new("sign", self.globals());
        match &facts.place {
            CosignPlace::Jobs(names) => {
                self.push_sign_jobs(&mut plan, artifacts, (account, rekor), names)?
            }
            CosignPlace::Here { cosign, forwards } => {
                let host = OnHost::new(self, cosign.clone(), forwards);
                host.push_sign(&mut plan, artifacts, account, rekor)?;
            }
        }
        Ok(plan)
    }

    /// The plan that verifies against an identity and its issuer.
    pub(super) fn verify_plan(
        &self,
        asked: &Verification<'_>,
        place: &CosignPlace,
    ) -> Result<Plan> {
        let mut plan = Plan::new("verify", self.globals());
        match place {
            CosignPlace::Jobs(names) => {
                self.push_verify_jobs(&mut plan, asked, names)?;
            }
            CosignPlace::Here { cosign, forwards } => {
                let host = OnHost::new(self, cosign.clone(), forwards);
                host.push_verify(&mut plan, asked)?;
            }
        }
        Ok(plan)
    }
}
