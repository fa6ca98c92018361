//! Looking whether something that a chapter asks for is done: on the live system, and
//! where that shows nothing, in what is remembered.

use anyhow::Result;

use super::super::App;
use super::super::evidence::{self, Ask, Inspected};
use crate::bundle::Content;
use crate::cli::EvidenceOptions;
use crate::evidence::checkpoint_store::Memory;
use crate::fail::{Fail, NOT_SO};
use crate::plan::{Plan, Step};
use crate::preflight;
use crate::target::{
    ClusterOptions, ComponentState, InstallOptions, InstallStage, PreflightOptions, Target,
};
use crate::walkthrough::Seen;
use crate::walkthrough::progress::Progress;

/// How it is seen to be done; `None` where it is not.
///
/// # Errors
/// Where it cannot be looked at: something is broken, or does not answer.
pub fn at(
    app: &App,
    target: &dyn Target,
    progress: &Progress,
    seen: &Seen,
) -> Result<Option<String>> {
    let looked = match seen {
        Seen::Machine => machine(target),
        Seen::Prefetched => all_done(&target.prefetch(&ClusterOptions::default())?, |_| true),
        Seen::Installed => all_done(&target.install(&InstallOptions::default())?, |_| true),
        Seen::Did(deed) => Ok(progress.deeds.get(deed).map(|time| format!("at {time}"))),
        // The rest is of an installation.
        _ if !target.installed() => Ok(None),
        Seen::Part(part) => {
            let plan = target.stage(*part, &ClusterOptions::default())?;
            all_done(&plan, |step| InstallStage::of(&step.name) == Some(*part))
        }
        Seen::Up(names) => up(target, names),
        Seen::Checkpoint => {
            let kept = Memory::read(&target.dir())?;
            Ok((!kept.is_empty()).then(|| "it is kept".to_owned()))
        }
        // Before an install is complete nobody could tell whose word counts.
        _ if !target.trusted_root()?.exists() => Ok(None),
        Seen::SampleSigned => {
            let identity = target.identity(target.default_user())?;
            signature_of_sample(app, target, |inspected| {
                let leaf = inspected.evidence.leaf()?;
                let by_them = leaf.identities().contains(&identity);
                (by_them && !is_attestation(inspected)).then(|| format!("by {identity}"))
            })
        }
        Seen::Attested => signature_of_sample(app, target, |inspected| {
            let content = content(inspected)?;
            let kind = content.predicate_type()?;
            content
                .is_attestation()
                .then(|| format!("of the type {kind}"))
        }),
        Seen::FileSigned => file_signed(app, target),
    };
    match looked {
        // An answer of "no" is what is looked for.
        Err(error) if Fail::from_error(&error).exit == NOT_SO => Ok(None),
        other => other,
    }
}

fn machine(target: &dyn Target) -> Result<Option<String>> {
    let checks = target.preflight(&PreflightOptions::default())?;
    preflight::verdict(&checks)?;
    Ok(Some("the preflight finds nothing missing".to_owned()))
}

/// Whether every one of these steps sees that there is nothing to do.
fn all_done(plan: &Plan, of: impl Fn(&Step) -> bool) -> Result<Option<String>> {
    for step in plan.steps.iter().filter(|step| of(step)) {
        if let Some(done) = &step.done
            && done()?.is_none()
        {
            return Ok(None);
        }
    }
    Ok(Some("nothing is left to do".to_owned()))
}

fn up(target: &dyn Target, names: &[String]) -> Result<Option<String>> {
    let mut there = target.status()?;
    there.retain(|component| names.contains(&component.name));
    let up = !there.is_empty()
        && there
            .iter()
            .all(|component| component.state == ComponentState::Up);
    let addresses: Vec<_> = there
        .iter()
        .map(|component| component.address.as_str())
        .collect();
    Ok(up.then(|| format!("at {}", addresses.join(", "))))
}

/// What is seen in the first signature of the sample that shows it and every link of
/// which holds.
fn signature_of_sample(
    app: &App,
    target: &dyn Target,
    seen: impl Fn(&Inspected) -> Option<String>,
) -> Result<Option<String>> {
    let options = EvidenceOptions {
        image: Some(target.sample()?),
        ..EvidenceOptions::default()
    };
    let mut found = None;
    evidence::each(app, &options, Ask::Nobody, |inspected| {
        if found.is_none() && inspected.proof.failed().is_empty() {
            found = seen(&inspected);
        }
        Ok(())
    })?;
    Ok(found)
}

fn content(inspected: &Inspected) -> Option<&Content> {
    inspected
        .evidence
        .bundle
        .as_ref()
        .map(|bundle| &bundle.content)
}

fn is_attestation(inspected: &Inspected) -> bool {
    content(inspected).is_some_and(Content::is_attestation)
}

/// Whether a file that was signed here is there, and proves with its bundle.
fn file_signed(app: &App, target: &dyn Target) -> Result<Option<String>> {
    for signature in target.signatures()?.into_iter().rev() {
        let file = std::path::PathBuf::from(&signature.artifact);
        if signature.image || !file.is_file() || !signature.bundle.is_file() {
            continue;
        }
        let options = EvidenceOptions {
            bundle: vec![signature.bundle],
            blob: Some(file),
            ..EvidenceOptions::default()
        };
        let mut proved = false;
        evidence::each(app, &options, Ask::Nobody, |inspected| {
            proved = inspected.proof.failed().is_empty();
            Ok(())
        })?;
        if proved {
            return Ok(Some(format!(
                "{}, by {}",
                signature.artifact, signature.identity
            )));
        }
    }
    Ok(None)
}
