//! How artifacts are signed and verified for a cluster: as Jobs in it, or from this
//! machine.

use anyhow::Result;

use crate::artifact::Artifact;
use crate::cluster::Cluster;
use crate::cluster::discovery::Discovery;
use crate::cluster::facts::{CosignPlace, account_exists};
use crate::cluster::job_manifest::sample_image;
use crate::cluster::object::DEFAULT;
use crate::cluster::signing::OnHost;
use crate::entry::Version;
use crate::fail::broken;
use crate::plan::Plan;
use crate::signatures;
use crate::target::{CosignRuns, Signing};

impl Signing for Cluster {
    fn sign(
        &self,
        artifacts: &[Artifact],
        account: &str,
        rekor: Version,
        place: CosignRuns,
    ) -> Result<Plan> {
        self.require_rekor(rekor)?;
        self.require_trust()?;
        // What cannot be remembered is not signed.
        signatures::all(&self.dir)?;
        if !account_exists(self, account)? {
            return Err(broken(format!(
                "there is no service account {account:?} in {DEFAULT}"
            ))
            .hint(format!("make it: kubectl create serviceaccount {account}"))
            .into());
        }
        let mut plan = Plan::new("sign", self.globals());
        match CosignPlace::gather(self, "sign", artifacts, place)? {
            CosignPlace::Jobs(names) => {
                self.push_sign_jobs(&mut plan, artifacts, account, &names)?;
            }
            CosignPlace::Here { cosign, forwards } => {
                let host = OnHost::new(self, cosign, &forwards);
                host.push_sign(&mut plan, artifacts, account)?;
            }
        }
        Ok(plan)
    }

    fn verify(
        &self,
        artifacts: &[Artifact],
        identity: &str,
        issuer: &str,
        place: CosignRuns,
    ) -> Result<Plan> {
        self.require_trust()?;
        let mut plan = Plan::new("verify", self.globals());
        let policy = (identity, issuer);
        match CosignPlace::gather(self, "verify", artifacts, place)? {
            CosignPlace::Jobs(names) => {
                self.push_verify_jobs(&mut plan, artifacts, policy, &names)?;
            }
            CosignPlace::Here { cosign, forwards } => {
                let host = OnHost::new(self, cosign, &forwards);
                host.push_verify(&mut plan, artifacts, policy)?;
            }
        }
        Ok(plan)
    }

    fn default_user(&self) -> &'static str {
        "default"
    }

    /// The identity that Fulcio writes into the certificate of a service account.
    fn identity(&self, account: &str) -> Result<String> {
        self.require_installed()?;
        Ok(format!(
            "https://kubernetes.io/namespaces/{DEFAULT}/serviceaccounts/{account}"
        ))
    }

    /// The issuer of this cluster's service-account tokens: what its discovery document
    /// says.
    fn issuer(&self) -> Result<String> {
        Discovery::of(&self.kubectl()?)?.into_issuer()
    }

    /// The image of the manifest.
    fn sample(&self) -> Result<String> {
        sample_image(&self.repo)
    }

    fn rekor(&self) -> Version {
        Version::V1
    }
}
