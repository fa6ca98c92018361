//! How artifacts are signed and verified for a cluster: as Jobs in it, or from this
//! machine.

use anyhow::Result;

use crate::artifact::Artifact;
use crate::cluster::Cluster;
use crate::cluster::discovery::Discovery;
use crate::cluster::facts::{CosignPlace, SigningFacts};
use crate::cluster::job_manifest::sample_image;
use crate::cluster::object::DEFAULT;
use crate::cluster::sign_addresses::signs;
use crate::entry::Version;
use crate::plan::Plan;
use crate::signatures;
use crate::target::{CosignRuns, Signing, Verification};

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
        let facts = SigningFacts::gather(self, artifacts, account, rekor, place)?;
        self.sign_plan(artifacts, account, rekor, &facts)
    }

    fn verify(&self, asked: &Verification<'_>) -> Result<Plan> {
        self.require_trust()?;
        let place = CosignPlace::gather(self, None, asked.artifacts, asked.place)?;
        self.verify_plan(asked, &place)
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
        self.settings()
            .map_or(Version::V1, |settings| signs(settings.rekor))
    }
}
