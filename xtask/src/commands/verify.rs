//! `verify`: who signed, checked against who should have.

use anyhow::Result;
use serde_json::{Value, json};

use super::{App, Ran, artifacts, ends};
use crate::artifact::Artifact;
use crate::cli::Verify;
use crate::fail::{broken, not_so};
use crate::target::CosignRuns;
use crate::text::quote;

pub fn run(app: &App, options: &Verify) -> Result<Option<Value>> {
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
    if let Some(named) = options.bundle.as_deref().filter(|named| !named.is_file()) {
        return Err(broken(format!("there is no file {}", named.display())).into());
    }
    for artifact in &artifacts {
        if let Artifact::Blob { file, bundle } = artifact
            && !bundle.is_file()
        {
            let file = quote(&file.to_string_lossy());
            return Err(not_so(format!(
                "the file carries no signature: there is no {}",
                bundle.display()
            ))
            .hint(format!("sign it: cargo xtask sign --blob {file}"))
            .hint("or name the bundle: --bundle FILE")
            .into());
        }
    }
    // The default is a policy, not a look at who did sign: anybody's signature
    // would satisfy that.
    let identity = options
        .identity
        .clone()
        .map_or_else(|| target.identity(target.default_user()), Ok)?;
    let issuer = options.issuer.clone().map_or_else(|| target.issuer(), Ok)?;
    let plan = target.verify(
        &artifacts,
        &identity,
        &issuer,
        CosignRuns::from_host(options.from_host),
    )?;
    let Ran::Done(outcome) = app.execute(target.as_ref(), &plan, &options.plan)? else {
        return Ok(None);
    };
    let names: Vec<String> = artifacts
        .iter()
        .map(|artifact| match artifact {
            Artifact::Image(image) => image.clone(),
            Artifact::Blob { file, .. } => file.display().to_string(),
        })
        .collect();
    for name in &names {
        app.ui.say(format!("verified {name}"));
    }
    app.ui
        .say(format!("  signed by {identity}, vouched for by {issuer}"));
    app.ui.next("cargo xtask inspect-rekor");
    Ok(Some(
        json!({"verified": names, "identity": identity, "issuer": issuer, "steps": ends(&outcome)}),
    ))
}
