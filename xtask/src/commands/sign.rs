//! `sign`: a signature with an identity instead of a key.

use anyhow::Result;
use serde_json::{Value, json};

use super::{App, Ran, artifacts, ends};
use crate::artifact::Signature;
use crate::cli::Sign;
use crate::target::{CosignRuns, Target};

pub fn run(app: &App, options: &Sign) -> Result<Option<Value>> {
    let _beside = if options.plan.dry_run {
        None
    } else {
        app.state.share()?
    };
    let target = app.target()?;
    let artifacts = artifacts(
        target.as_ref(),
        &options.images,
        options.blob.as_deref(),
        options.bundle.as_deref(),
    )?;
    let rekor = options.rekor.unwrap_or_else(|| target.rekor());
    let user = options.user.as_deref().unwrap_or(target.default_user());
    let from = CosignRuns::from_host(options.from_host);
    let plan = target.sign(&artifacts, user, rekor, from)?;
    let Ran::Done(outcome) = app.execute(target.as_ref(), &plan, &options.plan)? else {
        return Ok(None);
    };
    let made: Vec<&Signature> = outcome.made().collect();
    for signature in &made {
        app.ui.say(format!("signed {}", signature.artifact));
        app.ui.say(format!("  as      {}", signature.identity));
        app.ui.say(format!(
            "  issuer  {}",
            signature.issuer.as_deref().unwrap_or("not named")
        ));
        app.ui.say(format!(
            "  log     Rekor {}, index {}",
            signature.rekor.name(),
            signature.log_index
        ));
        app.ui.say(format!("  stored  {}", stored(signature)));
        app.ui.next(&next(target.as_ref(), signature, user, from));
    }
    Ok(Some(json!({"signatures": made, "steps": ends(&outcome)})))
}

/// Where the signature went: for an image a tag beside it, made of its digest.
fn stored(signature: &Signature) -> String {
    match signature.artifact.split_once('@') {
        Some((name, digest)) if signature.image => format!("{name}:{}", digest.replace(':', "-")),
        _ => signature.bundle.display().to_string(),
    }
}

fn next(target: &dyn Target, signature: &Signature, user: &str, from: CosignRuns) -> String {
    let quote = crate::text::quote;
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
