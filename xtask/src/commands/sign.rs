//! `sign`: a signature with an identity instead of a key.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App, Ends, Execution, PlanOptions};
use crate::artifact::{Artifact, Signature};
use crate::entry::Version;
use crate::target::{CosignRuns, Target};
use crate::text::quote;

/// Sign images or a file with an identity instead of a key
#[derive(Debug, Args)]
pub(crate) struct SignCommand {
    /// Images, by tag or digest; a tag is looked up and the digest is signed [default: the sample]
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    /// Sign this file instead
    #[arg(long, value_name = "FILE", conflicts_with = "images")]
    blob: Option<PathBuf>,
    /// Where the signature of the file goes [default: FILE.sigstore.json]
    #[arg(long, value_name = "FILE", requires = "blob")]
    bundle: Option<PathBuf>,
    /// The user who signs, on a cluster a service account [default: alice, on a cluster default]
    #[arg(long = "as", value_name = "USER")]
    user: Option<String>,
    /// On a cluster: sign from this machine instead of a Job
    #[arg(long)]
    from_host: bool,
    /// The log that records it [default: the newest that runs]
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
        let (blob, bundle) = (self.blob.as_deref(), self.bundle.as_deref());
        let artifacts = Artifact::named(|| target.sample(), &self.images, blob, bundle)?;
        let rekor = self.rekor.unwrap_or_else(|| target.rekor());
        let user = self.user.as_deref().unwrap_or(target.default_user());
        let from = CosignRuns::from_host(self.from_host);
        let plan = target.sign(&artifacts, user, rekor, from)?;
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
