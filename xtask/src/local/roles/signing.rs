//! How artifacts are signed and verified on the local target, and as whom.

use anyhow::Result;

use crate::artifact::Artifact;
use crate::cosign::SignRequest;
use crate::entry::Version;
use crate::local::manifest::TrustRole;
use crate::local::{Local, trust};
use crate::plan::Plan;
use crate::signatures;
use crate::target::{CosignRuns, Signing};
use crate::words;

impl Signing for Local {
    fn sign(
        &self,
        artifacts: &[Artifact],
        user: &str,
        rekor: Version,
        _: CosignRuns,
    ) -> Result<Plan> {
        self.require_installed()?;
        self.rekor_address(rekor)?;
        // What cannot be remembered is not signed.
        signatures::all(&self.dir)?;
        let user = self.user(user)?;
        let mut plan = Plan::new("sign", self.globals.clone());
        let request = SignRequest {
            artifacts,
            user: &user.name,
            identity: &user.email,
            issued_by: "Dex",
            signing_config: &self.trust_file(&trust::config_name(Some(rekor))),
            rekor,
            dir: &self.dir,
            forwarded: None,
        };
        self.cosign()?.push_sign(&mut plan, &request, &[]);
        Ok(plan)
    }

    fn verify(
        &self,
        artifacts: &[Artifact],
        identity: &str,
        issuer: &str,
        _: CosignRuns,
    ) -> Result<Plan> {
        self.require_installed()?;
        let policy = words![
            "--certificate-identity",
            identity,
            "--certificate-oidc-issuer",
            issuer
        ];
        let mut plan = Plan::new("verify", self.globals.clone());
        self.cosign()?
            .push_verify(&mut plan, artifacts, &policy, &[]);
        Ok(plan)
    }

    fn default_user(&self) -> &'static str {
        "alice"
    }

    fn identity(&self, user: &str) -> Result<String> {
        self.require_installed()?;
        Ok(self.user(user)?.email)
    }

    /// The issuer that Dex puts into its tokens.
    fn issuer(&self) -> Result<String> {
        self.url(
            self.manifest
                .trusted_as(TrustRole::OidcProvider, self.rekor())?,
        )
    }

    /// The image that `install` pushes.
    fn sample(&self) -> Result<String> {
        Ok(format!("{}/sample:latest", self.address("registry")?))
    }

    fn rekor(&self) -> Version {
        self.settings.rekor.newest()
    }
}
