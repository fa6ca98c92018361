//! `verify`: who signed, checked against who should have.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App, Ends, Execution, PlanOptions};
use crate::artifact::Artifact;
use crate::fail::{Fail, NOT_SO, broken, not_so};
use crate::target::CosignRuns;
use crate::text::quote;
use crate::walkthrough::Milestone;

/// Verify who signed images or a file; exit status 1 where the answer is no
#[derive(Debug, Args)]
pub(crate) struct VerifyCommand {
    /// Images, by tag or digest [default: the sample]
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    /// Verify this file instead
    #[arg(long, value_name = "FILE", conflicts_with = "images")]
    blob: Option<PathBuf>,
    /// The bundle that holds the signature of the file [default: FILE.sigstore.json]
    #[arg(long, value_name = "FILE", requires = "blob")]
    bundle: Option<PathBuf>,
    /// On a cluster: verify from this machine instead of a Job
    #[arg(long)]
    from_host: bool,
    /// Who must have signed [default: alice@example.com, on a cluster the service account default]
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,
    /// Who must have vouched for that name [default: the workshop's Dex, or the cluster's issuer]
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// How to run the plan.
    #[command(flatten)]
    plan: PlanOptions,
}

#[derive(Serialize)]
struct VerifiedArtifacts {
    verified: Vec<String>,
    identity: String,
    issuer: String,
    steps: Ends,
}

impl VerifyCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let (dry_run, expected) = (
            self.plan.dry_run,
            self.identity.is_some() || self.issuer.is_some(),
        );
        match self.verify(app) {
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

    fn verify(self, app: &App) -> Result<Answer> {
        let _beside = app.lock_shared(&self.plan)?;
        let target = app.target()?;
        let (blob, bundle) = (self.blob.as_deref(), self.bundle.as_deref());
        let artifacts = Artifact::named(|| target.sample(), &self.images, blob, bundle)?;
        if let Some(named) = bundle.filter(|named| !named.is_file()) {
            return Err(broken(format!("there is no file {}", named.display())).into());
        }
        require_bundles(&artifacts)?;
        // The default is a policy, not a look at who did sign: anybody's signature
        // would satisfy that.
        let identity = self
            .identity
            .map_or_else(|| target.identity(target.default_user()), Ok)?;
        let issuer = self.issuer.map_or_else(|| target.issuer(), Ok)?;
        let from = CosignRuns::from_host(self.from_host);
        let plan = target.verify(&artifacts, &identity, &issuer, from)?;
        let ran = app.execute(target.as_ref(), &plan, &self.plan)?;
        let Execution::Finished(outcome) = ran else {
            return Ok(Answer::printed());
        };
        let verified: Vec<String> = artifacts.iter().map(Artifact::name).collect();
        for name in &verified {
            app.ui.say(format!("verified {name}"));
        }
        app.ui
            .say(format!("  signed by {identity}, vouched for by {issuer}"));
        app.ui.next("cargo xtask inspect-rekor");
        Ok(Answer::result(VerifiedArtifacts {
            verified,
            identity,
            issuer,
            steps: Ends::of(&outcome),
        }))
    }
}

/// Fails where a file carries no signature.
fn require_bundles(artifacts: &[Artifact]) -> Result<(), Fail> {
    for artifact in artifacts {
        if let Artifact::Blob { file, bundle } = artifact
            && !bundle.is_file()
        {
            let file = quote(&file.to_string_lossy());
            return Err(not_so(format!(
                "the file carries no signature: there is no {}",
                bundle.display()
            ))
            .hint(format!("sign it: cargo xtask sign --blob {file}"))
            .hint("or name the bundle: --bundle FILE"));
        }
    }
    Ok(())
}
