//! How artifacts are signed and verified for a cluster: as Jobs in it, or from this
//! machine.

use anyhow::{Context, Result};

use crate::artifact::Artifact;
use crate::cluster::Cluster;
use crate::cluster::objects::DEFAULT;
use crate::cluster::settings;
use crate::cluster::sign::runs_here;
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
        if self
            .find(DEFAULT, &format!("serviceaccount/{account}"))?
            .is_none()
        {
            return Err(broken(format!(
                "there is no service account {account:?} in {DEFAULT}"
            ))
            .hint(format!("make it: kubectl create serviceaccount {account}"))
            .into());
        }
        let mut plan = Plan::new("sign", self.globals.clone());
        if runs_here(artifacts, place) {
            self.push_sign_here(&mut plan, artifacts, account)?;
        } else {
            self.push_sign_jobs(&mut plan, artifacts, account)?;
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
        let mut plan = Plan::new("verify", self.globals.clone());
        if runs_here(artifacts, place) {
            self.push_verify_here(&mut plan, artifacts, identity, issuer)?;
        } else {
            self.push_verify_jobs(&mut plan, artifacts, identity, issuer)?;
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
        Ok(self.discovery()?["issuer"]
            .as_str()
            .ok_or_else(|| broken("the cluster's discovery document names no issuer"))?
            .to_owned())
    }

    /// The image of the manifest.
    fn sample(&self) -> Result<String> {
        let job = settings::yaml(&self.manifest("verify/job-sign.yml"))?;
        let arguments = &job["spec"]["template"]["spec"]["containers"][0]["args"];
        let last = arguments.as_sequence().and_then(|all| all.last()?.as_str());
        Ok(last
            .context("verify/job-sign.yml names no image")?
            .to_owned())
    }

    fn rekor(&self) -> Version {
        Version::V1
    }
}
