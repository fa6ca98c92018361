//! The role of a target that signs and verifies.

use anyhow::Result;

use super::SignerArgs;
use crate::artifact::Artifact;
use crate::entry::Version;
use crate::plan::Plan;

/// Where cosign runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CosignRuns {
    /// In the cluster, where the target is one.
    InCluster,
    /// On this machine.
    OnHost,
}

impl CosignRuns {
    /// The place that the option `--from-host` chooses.
    pub fn from_host(asked: bool) -> CosignRuns {
        if asked {
            CosignRuns::OnHost
        } else {
            CosignRuns::InCluster
        }
    }
}

/// What is asked of signatures.
#[derive(Debug, Clone, Copy)]
pub struct Verification<'a> {
    /// Of what.
    pub artifacts: &'a [Artifact],
    /// Who must have signed.
    pub signer: &'a SignerArgs,
    /// The predicate type of the attestation (in-toto) that must be there, instead of a
    /// signature.
    pub attestation: Option<&'a str>,
    /// Where cosign runs.
    pub place: CosignRuns,
}

/// How artifacts are signed and verified, and as whom.
pub trait Signing {
    /// The plan that signs artifacts as a user, recorded by a version of Rekor.
    fn sign(
        &self,
        artifacts: &[Artifact],
        user: &str,
        rekor: Version,
        place: CosignRuns,
    ) -> Result<Plan>;

    /// The plan that verifies who signed.
    fn verify(&self, asked: &Verification<'_>) -> Result<Plan>;

    /// The user who signs where none is named, and whose signature is expected then.
    fn default_user(&self) -> &'static str;

    /// The identity of a user in certificates.
    fn identity(&self, user: &str) -> Result<String>;

    /// The issuer of those identities, exactly as it stands in certificates.
    fn issuer(&self) -> Result<String>;

    /// The image that is signed where none is named.
    fn sample(&self) -> Result<String>;

    /// The version of Rekor that records where none is named.
    fn rekor(&self) -> Version;
}
