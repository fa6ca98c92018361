//! `sign`: a signature with an identity instead of a key.

use std::path::Path;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{
    Answer, App, ArtifactArgs, Ends, Execution, NamedArtifacts, PlanOptions, told_partly,
};
use crate::artifact::{Artifact, Signature};
use crate::entry::Version;
use crate::evidence::steps::signed_already;
use crate::evidence::{each_image_once, with_platforms};
use crate::plan::numbered;
use crate::target::{CosignRuns, SignerArgs, Target};
use crate::text::{counted, nearest, printable, quote};

/// Sign files and images with an identity instead of a key
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask sign README.md
  cargo xtask sign --as bob dist/*
  cargo xtask sign \"$WORKSHOP_REGISTRY/app:1\"")]
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
    /// Of several also sign again what this identity has signed
    #[arg(long)]
    again: bool,
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
        let target = target.as_ref();
        let user = self.user.as_deref().unwrap_or(target.default_user());
        let artifacts = self.to_sign(app, target, user)?;
        if artifacts.is_empty() {
            app.ui.say("nothing to do: all of it is signed");
            let nothing = Signed {
                signatures: Vec::new(),
                steps: Ends::default(),
            };
            return Ok(Answer::result(nothing));
        }
        let rekor = self.rekor.unwrap_or_else(|| target.rekor());
        let from = CosignRuns::from_host(self.from_host);
        let mut plan = target.sign(&artifacts, user, rekor, from)?;
        self.artifacts.pace(&mut plan, artifacts.len());
        let ran = app.execute_to_end(target, &plan, &self.plan)?;
        let Execution::Finished(outcome) = ran else {
            return Ok(Answer::printed());
        };
        let signatures = outcome.made().cloned().collect::<Vec<Signature>>();
        if let ([signature], [_]) = (&*signatures, &*artifacts) {
            say(app, signature);
            app.ui.next(&next(target, signature, user, from));
        } else {
            signatures.iter().for_each(|one| say_short(app, one));
        }
        // A full disk, for one: what is left of a bundle would stand in the way of the next.
        for (i, artifact) in artifacts.iter().enumerate() {
            if !outcome.is_done(&format!("sign{}", numbered(i))) && artifact.remove_torn_bundle() {
                let name = printable(&artifact.name());
                app.ui
                    .note(format!("removed what was written of the bundle of {name}"));
            }
        }
        let left = told_partly(&app.ui, &artifacts, "sign", "signed", &outcome)?;
        let left = left.map(|fail| fail.hint("sign what is left: run the same command again"));
        if let (Some(typed), true, None) = (self.artifacts.typed(), artifacts.len() > 1, &left) {
            let as_whom = signatures.first().map_or("", |one| &one.identity);
            let identity = expected(target, user, as_whom);
            app.ui
                .next(&format!("cargo xtask verify {typed}{identity}"));
        }
        let steps = Ends::of(&outcome);
        Ok(Answer::result(Signed { signatures, steps }).but(left))
    }

    /// What is to be signed: of several artifacts those that this user has not signed, so
    /// that the same command goes on where it stopped.
    fn to_sign(&self, app: &App, target: &dyn Target, user: &str) -> Result<Vec<Artifact>> {
        let NamedArtifacts { artifacts, bundles } = self.artifacts.to_sign(|| target.sample())?;
        if bundles > 0 {
            let bundles = counted(bundles as u64, "bundle", "bundles");
            let note = format!("left out {bundles} of files that are named");
            app.ui.note(note);
        }
        let artifacts = match self.artifacts.recursive {
            true => with_platforms(Some(target), artifacts)?,
            false => artifacts,
        };
        let artifacts = each_image_once(target, artifacts);
        if self.again || artifacts.len() == 1 {
            return Ok(artifacts);
        }
        let signer = SignerArgs {
            identity: Some(target.identity(user)?),
            issuer: Some(target.issuer()?),
            ..SignerArgs::default()
        };
        let signed = signed_already(target, &artifacts, &signer)?;
        let (all, by) = (artifacts.len(), signer.expected());
        let artifacts = artifacts.into_iter().zip(signed);
        let unsigned = artifacts.filter_map(|(artifact, signed)| (!signed).then_some(artifact));
        let unsigned: Vec<Artifact> = unsigned.collect();
        if unsigned.len() < all {
            let signed = all - unsigned.len();
            let are = if signed == 1 { "is" } else { "are" };
            let note = format!("{signed} of {all} {are} signed by {by} already; --again signs all");
            app.ui.note(note);
        }
        Ok(unsigned)
    }
}

fn say(app: &App, signature: &Signature) {
    let issuer = signature.issuer.as_deref().unwrap_or("not named");
    let (rekor, index) = (signature.rekor.name(), signature.log_index);
    app.ui.say(
        app.ui
            .short(&printable(&format!("signed {}", shown(signature)))),
    );
    app.ui.say(format!("  as      {}", signature.identity));
    app.ui.say(format!("  issuer  {issuer}"));
    app.ui
        .say(format!("  log     Rekor {rekor}, index {index}"));
    let stored = app.ui.short(&printable(&stored(signature)));
    app.ui.say(format!("  stored  {stored}"));
}

/// One of several signatures.
fn say_short(app: &App, signature: &Signature) {
    let (rekor, index) = (signature.rekor.name(), signature.log_index);
    let (artifact, identity) = (printable(&shown(signature)), &signature.identity);
    app.ui.say(app.ui.short(&format!("signed {artifact}")));
    app.ui
        .say(format!("  as {identity}, Rekor {rekor} index {index}"));
}

/// What was signed, as a person reads it.
fn shown(signature: &Signature) -> String {
    match signature.image {
        true => signature.artifact.clone(),
        false => nearest(Path::new(&signature.artifact)),
    }
}

/// Where the signature went: for an image a tag beside it, made of its digest.
fn stored(signature: &Signature) -> String {
    match signature.artifact.split_once('@') {
        Some((name, digest)) if signature.image => format!("{name}:{}", digest.replace(':', "-")),
        _ => nearest(&signature.bundle),
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
    let identity = expected(target, user, &signature.identity);
    let here = if from == CosignRuns::OnHost && signature.image {
        " --from-host"
    } else {
        ""
    };
    format!("cargo xtask verify {what}{identity}{here}")
}

/// The option of `verify` that expects this identity, where that is not the default.
fn expected(target: &dyn Target, user: &str, identity: &str) -> String {
    if user == target.default_user() {
        return String::new();
    }
    format!(" --identity {}", quote(identity))
}
