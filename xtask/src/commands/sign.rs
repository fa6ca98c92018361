//! `sign`: a signature with an identity instead of a key.

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App, ArtifactArgs, Ends, Execution, PlanOptions};
use crate::artifact::Signature;
use crate::entry::Version;
use crate::target::{CosignRuns, Target};
use crate::text::{counted, quote};

/// Sign files and images with an identity instead of a key
#[derive(Debug, Args)]
pub(crate) struct SignCommand {
    /// What is signed; of an image by tag its digest.
    #[command(flatten)]
    artifacts: ArtifactArgs,
    /// The user who signs, on a cluster a service account [default: alice, on a cluster default]
    #[arg(long = "as", value_name = "USER")]
    user: Option<String>,
    /// On a cluster: sign from this machine instead of a Job
    #[arg(long)]
    from_host: bool,
    /// The log that records it [default: the newest that runs, on a cluster with both v1]
    #[arg(long, value_enum)]
    rekor: Option<Version>,
    /// How to run the plan.
    #[command(flatten)]
    plan: PlanOptions,
}

#[derive(Serialize)]
struct Signed {
    signatures: Vec<Signature>,
    steps: Ends,
}

impl SignCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let _beside = app.lock_shared(&self.plan)?;
        let target = app.target()?;
        let named = self.artifacts.to_sign(|| target.sample())?;
        if named.bundles > 0 {
            let bundles = counted(named.bundles as u64, "bundle", "bundles");
            app.ui
                .note(format!("left out {bundles} of files that are named"));
        }
        let rekor = self.rekor.unwrap_or_else(|| target.rekor());
        let user = self.user.as_deref().unwrap_or(target.default_user());
        let from = CosignRuns::from_host(self.from_host);
        let plan = target.sign(&named.artifacts, user, rekor, from)?;
        let ran = app.execute(target.as_ref(), &plan, &self.plan)?;
        let Execution::Finished(outcome) = ran else {
            return Ok(Answer::printed());
        };
        let signatures = outcome.made().cloned().collect::<Vec<Signature>>();
        for signature in &signatures {
            say(app, signature);
            app.ui.next(&next(target.as_ref(), signature, user, from));
        }
        let steps = Ends::of(&outcome);
        Ok(Answer::result(Signed { signatures, steps }))
    }
}

fn say(app: &App, signature: &Signature) {
    let issuer = signature.issuer.as_deref().unwrap_or("not named");
    let (rekor, index) = (signature.rekor.name(), signature.log_index);
    app.ui.say(format!("signed {}", signature.artifact));
    app.ui.say(format!("  as      {}", signature.identity));
    app.ui.say(format!("  issuer  {issuer}"));
    app.ui
        .say(format!("  log     Rekor {rekor}, index {index}"));
    app.ui.say(format!("  stored  {}", stored(signature)));
}

/// Where the signature went: for an image a tag beside it, made of its digest.
fn stored(signature: &Signature) -> String {
    match signature.artifact.split_once('@') {
        Some((name, digest)) if signature.image => format!("{name}:{}", digest.replace(':', "-")),
        _ => signature.bundle.display().to_string(),
    }
}

fn next(target: &dyn Target, signature: &Signature, user: &str, from: CosignRuns) -> String {
    let what = if signature.image {
        quote(&signature.artifact)
    } else {
        format!(
            "--blob {} --bundle {}",
            quote(&signature.artifact),
            quote(&signature.bundle.to_string_lossy())
        )
    };
    let identity = if user == target.default_user() {
        String::new()
    } else {
        format!(" --identity {}", quote(&signature.identity))
    };
    let here = if from == CosignRuns::OnHost && signature.image {
        " --from-host"
    } else {
        ""
    };
    format!("cargo xtask verify {what}{identity}{here}")
}
