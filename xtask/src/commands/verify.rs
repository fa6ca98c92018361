//! `verify`: who signed, checked against who should have.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App, ArtifactArgs, Ends, Execution, PlanOptions, told_partly};
use crate::artifact::Artifact;
use crate::evidence::steps::Prover;
use crate::evidence::{Verified, with_platforms};
use crate::fail::{Fail, NOT_SO, broken};
use crate::plan::{Outcome, Plan, numbered};
use crate::target::steps::push_prove;
use crate::target::{CosignRuns, SignerArgs, Target, Verification};
use crate::text::printable;
use crate::walkthrough::Milestone;

/// Verify who signed files and images; exit status 1 where the answer is no
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask verify README.md
  cargo xtask verify --identity bob@example.com README.md
  cargo xtask verify --attestation https://example.com/tested/v1 IMAGE")]
pub(crate) struct VerifyCommand {
    /// What is verified.
    #[command(flatten)]
    artifacts: ArtifactArgs,
    /// Who must have signed.
    #[command(flatten)]
    signer: SignerArgs,
    /// An attestation of this predicate type must be there, instead of a signature
    #[arg(long, value_name = "TYPE", value_parser = predicate_type)]
    attestation: Option<String>,
    /// Believe this trusted root instead of the installation's; then none is needed, nor is cosign
    #[arg(long, value_name = "FILE", conflicts_with = "from_host")]
    trusted_root: Option<PathBuf>,
    /// On a cluster: verify from this machine instead of a Job
    #[arg(long)]
    from_host: bool,
    /// How to run the plan.
    #[command(flatten)]
    plan: PlanOptions,
}

#[derive(Serialize)]
struct VerifiedArtifacts {
    verified: Vec<String>,
    identity: Option<String>,
    issuer: Option<String>,
    signatures: Vec<Verified>,
    steps: Ends,
}

impl VerifyCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let (dry_run, expected) = (self.plan.dry_run, self.signer.is_given());
        for regexp in self.signer.unanchored()? {
            app.ui.note(format!(
                "{regexp} is found anywhere in a name; ^ and $ around it make it all of the name"
            ));
        }
        let verified = match self.trusted_root.clone() {
            Some(root) => self.verify_alone(app, root),
            None => self.verify(app),
        };
        match verified {
            Ok(answer) => Ok(answer.milestone((!dry_run).then_some(Milestone::Verify))),
            Err(error) => {
                let fail = Fail::from_error(&error);
                // An image without a signature does not show that a person was refused.
                if fail.exit != NOT_SO || dry_run || !expected {
                    return Err(error);
                }
                Ok(Answer::no(fail).milestone(Milestone::Refusal))
            }
        }
    }

    /// Verifies against the trust material of the installation: this program proves each
    /// signature, and cosign verifies it as well.
    fn verify(mut self, app: &App) -> Result<Answer> {
        let _beside = app.lock_shared(&self.plan)?;
        let target = app.target()?;
        let artifacts = self
            .artifacts
            .to_verify(self.attestation.is_some(), || target.sample())?;
        let artifacts = self.listed(Some(target.as_ref()), artifacts)?;
        // The default is a policy, not a look at who did sign: anybody's signature
        // would satisfy that.
        if !self.signer.names_signer() {
            self.signer.identity = Some(target.identity(target.default_user())?);
        }
        if !self.signer.names_issuer() {
            self.signer.issuer = Some(target.issuer()?);
        }
        let plan = target.verify(&self.asked(&artifacts))?;
        self.execute(app, Some(target.as_ref()), &artifacts, plan)
    }

    /// Verifies against a trusted root that is named, with this program alone.
    fn verify_alone(self, app: &App, root: PathBuf) -> Result<Answer> {
        let no_sample = || {
            let hint = "cargo xtask verify --trusted-root FILE FILE";
            Err(broken("what is to be verified is not named")
                .hint(hint)
                .into())
        };
        let artifacts = self.listed(
            None,
            self.artifacts
                .to_verify(self.attestation.is_some(), no_sample)?,
        )?;
        if !self.signer.names_signer() || !self.signer.names_issuer() {
            let missing = match self.signer.names_signer() {
                true => "who must have vouched for the signer is not said",
                false => "who must have signed is not said",
            };
            let hint = "say it: --identity NAME --issuer URL, or --key FILE";
            return Err(broken(missing).hint(hint).into());
        }
        let root = std::path::absolute(root)?;
        let mut plan = app.plan("verify");
        push_prove(&mut plan, &self.asked(&artifacts), Some(root));
        self.execute(app, None, &artifacts, plan)
    }

    /// With `--recursive` also what an index lists.
    fn listed(
        &self,
        target: Option<&dyn Target>,
        artifacts: Vec<Artifact>,
    ) -> Result<Vec<Artifact>> {
        match self.artifacts.recursive {
            true => with_platforms(target, artifacts),
            false => Ok(artifacts),
        }
    }

    fn asked<'a>(&'a self, artifacts: &'a [Artifact]) -> Verification<'a> {
        Verification {
            artifacts,
            signer: &self.signer,
            attestation: self.attestation.as_deref(),
            place: CosignRuns::from_host(self.from_host),
        }
    }

    fn execute(
        self,
        app: &App,
        target: Option<&dyn Target>,
        artifacts: &[Artifact],
        mut plan: Plan,
    ) -> Result<Answer> {
        self.artifacts.pace(&mut plan, artifacts.len());
        let ran = app.execute_to_end(&Prover { target }, &plan, &self.plan)?;
        let Execution::Finished(outcome) = ran else {
            return Ok(Answer::printed());
        };
        // cosign has the last word, where it is asked.
        let last = match target {
            Some(_) => "verify",
            None => "prove",
        };
        let done = |i: &usize| outcome.is_done(&format!("{last}{}", numbered(*i)));
        let done: Vec<usize> = (0..artifacts.len()).filter(done).collect();
        let proved = |i: &usize| outcome.made_by::<Verified>(&format!("prove{}", numbered(*i)));
        for i in &done {
            self.tell(app, &artifacts[*i].shown(), proved(i));
        }
        let signatures = done.iter().filter_map(proved).cloned().collect();
        let verified = done.iter().map(|i| artifacts[*i].name()).collect();
        let done = self.attestation.as_ref().map_or("verified", |_| "attested");
        let left = told_partly(&app.ui, artifacts, last, done, &outcome)?;
        // A trusted root that was named is to be named again.
        if let ([artifact], None) = (artifacts, &self.trusted_root) {
            let what = artifact.inspected_by();
            app.ui.next(&format!("cargo xtask inspect-rekor {what}"));
        }
        Ok(Answer::result(self.answer(verified, signatures, &outcome)).but(left))
    }

    /// Says who signed what. A Job in a cluster only says that whoever was expected did.
    fn tell(&self, app: &App, name: &str, proved: Option<&Verified>) {
        let verb = match self.attestation {
            Some(_) => "attested",
            None => "signed",
        };
        let expected = (&self.signer.identity, &self.signer.issuer);
        let (by, issuer) = proved.map_or(expected, |one| (&one.identity, &one.issuer));
        let by = by.clone().unwrap_or_else(|| self.signer.expected());
        let issuer = issuer.as_ref();
        let vouched = issuer.map_or_else(String::new, |by| format!(", vouched for by {by}"));
        let name = printable(name);
        app.ui.say(app.ui.short(&format!("verified {name}")));
        app.ui.say(printable(&format!("  {verb} by {by}{vouched}")));
    }

    fn answer(
        self,
        verified: Vec<String>,
        signatures: Vec<Verified>,
        outcome: &Outcome,
    ) -> VerifiedArtifacts {
        VerifiedArtifacts {
            verified,
            identity: self.signer.identity,
            issuer: self.signer.issuer,
            signatures,
            steps: Ends::of(outcome),
        }
    }
}

/// The predicate type that cosign means by one of its names (`PredicateTypeMap` in its
/// `cmd/cosign/cli/options/predicate.go`), or the type itself. A Job asks cosign, and this
/// machine compares statements: both have to look for the same one.
fn predicate_type(named: &str) -> Result<String, &'static str> {
    let uri = match named {
        "" => return Err("a predicate type is not empty"),
        "custom" => "https://cosign.sigstore.dev/attestation/v1",
        "slsaprovenance" | "slsaprovenance02" => "https://slsa.dev/provenance/v0.2",
        "slsaprovenance1" => "https://slsa.dev/provenance/v1",
        "spdx" | "spdxjson" => "https://spdx.dev/Document",
        "cyclonedx" => "https://cyclonedx.org/bom",
        "link" => "https://in-toto.io/Link/v1",
        "vuln" => "https://cosign.sigstore.dev/attestation/vuln/v1",
        "openvex" => "https://openvex.dev/ns",
        uri => uri,
    };
    Ok(uri.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_cosign_has_for_a_predicate_type_means_the_same_here() {
        let custom = predicate_type("custom").unwrap();
        assert_eq!(custom, "https://cosign.sigstore.dev/attestation/v1");
        let own = "https://example.com/tested/v1";
        assert_eq!(predicate_type(own).unwrap(), own);
    }
}
