//! How artifacts are signed and verified on the local target, and as whom.

use anyhow::Result;

use crate::artifact::Artifact;
use crate::entry::Version;
use crate::local::manifest::TrustRole;
use crate::local::{Local, plans};
use crate::plan::Plan;
use crate::signatures;
use crate::target::steps::push_prove;
use crate::target::{CosignRuns, Signing, Verification};

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
        plans::sign(self, artifacts, &self.user(user)?, rekor)
    }

    fn verify(&self, asked: &Verification<'_>) -> Result<Plan> {
        self.require_installed()?;
        let mut plan = Plan::new("verify", self.globals.clone());
        let proved = push_prove(&mut plan, asked, None);
        self.cosign()?.push_verify(&mut plan, asked, &[], &proved);
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
        Ok(format!("{}/sample:latest", self.registry_address()?))
    }

    fn rekor(&self) -> Version {
        self.settings.rekor.newest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::config::User;
    use crate::local::tests::{Machine, names};
    use crate::plan::shell;
    use crate::target::SignerArgs;

    fn alice() -> User {
        let text = |text: &str| text.to_owned();
        User {
            name: text("alice"),
            email: text("alice@example.com"),
            password: text("secret-word"),
            hash: text("hash"),
            id: text("id"),
        }
    }

    #[test]
    fn an_image_is_signed_by_its_digest() {
        let Machine { local, .. } = Machine::built();
        let image = Artifact::Image(local.sample().unwrap());
        let plan = plans::sign(&local, &[image], &alice(), Version::V2).unwrap();
        let all = names(&plan);
        assert_eq!(all[..3], ["token", "digest", "sign"]);
        let needs = &plan.steps[2].needs;
        assert!(needs.contains(&all[0]) && needs.contains(&all[1]));
        let script = shell::script(&plan, &vec![true; plan.steps.len()]);
        assert!(script.contains("signing_config.rekor-v2.json"), "{script}");
        assert!(!script.contains("secret-word"), "{script}");
    }

    #[test]
    fn what_is_verified_is_held_against_a_policy() {
        let Machine { mut local, .. } = Machine::built();
        local.installed = true;
        let image = [Artifact::Image(local.sample().unwrap())];
        let issuer = local.issuer().unwrap();
        assert_eq!(issuer, "http://127.0.0.1:17800/dex");
        let signer = SignerArgs {
            identity: Some("alice@example.com".into()),
            issuer: Some(issuer.clone()),
            ..SignerArgs::default()
        };
        let asked = Verification {
            artifacts: &image,
            signer: &signer,
            attestation: None,
            place: CosignRuns::OnHost,
        };
        let plan = local.verify(&asked).unwrap();
        assert_eq!(plan.steps[1].needs, ["prove"]);
        let script = shell::script(&plan, &vec![true; plan.steps.len()]);
        for word in ["--certificate-identity alice@example.com", issuer.as_str()] {
            assert!(script.contains(word), "{script}");
        }
    }
}
