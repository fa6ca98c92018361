//! A Job that is followed until it ends, and explained where it fails.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::conditions::{Condition, ConditionKind, ConditionWait};
use super::kubectl::Kubectl;
use super::object::DEFAULT;
use crate::bundle;
use crate::exec::each_line_of;
use crate::fail::{BROKEN, Fail, NOT_SO, broken, not_so};
use crate::plan::StepEvent;
use crate::problems;
use crate::state;
use crate::text::quote;
use crate::words;

/// How long a Job may take: its image may have to be fetched.
pub(super) const WITHIN: Duration = Duration::from_secs(300);

/// A Job that prints more lines than these does something else than its task.
const MOST: usize = 10_000;

/// How many of the last lines may explain a failure.
const LAST: usize = 12;

/// What cosign calls a signature that was made before there were bundles.
const SIMPLE: &str = "cosign container image signature";

/// Shows what a Job prints until it ends, and keeps the bundle that it prints where one
/// is wanted. Returns the lines.
///
/// # Errors
/// Exit status 1 where the Job fails, with the meaning of its last lines.
pub(super) fn follow(
    kubectl: &Kubectl,
    job: &str,
    bundle: Option<&Path>,
    report: &dyn Fn(StepEvent<'_>),
) -> Result<Vec<String>> {
    let wait = |kind: ConditionKind, report: &dyn Fn(StepEvent<'_>)| {
        let wait = ConditionWait {
            kubectl,
            namespace: DEFAULT,
            conditions: &[Condition::of_job(kind, job)],
            within: WITHIN,
            report,
        };
        wait.until_all_hold()
    };
    // Its log begins when its pod does.
    wait(ConditionKind::Begun, report).map_err(|error| could_not_look(&error))?;
    let lines = log_of(kubectl, job, bundle, report)?;
    // What went wrong is in the log that has been shown.
    let ended = wait(ConditionKind::Job, &|event| {
        if let StepEvent::Waiting(_) = event {
            report(event);
        }
    });
    let Err(error) = ended else { return Ok(lines) };
    let fail = Fail::from_error(&error);
    if fail.exit != NOT_SO {
        return Err(error);
    }
    let last = lines[lines.len().saturating_sub(LAST)..].to_vec();
    let fail = problems::explain(broken(format!("the Job {job} failed")).tail(last));
    Err(fail.into())
}

/// Fails where what cosign says that it verified are attestations only: for cosign's
/// `verify` any statement about the image will do.
///
/// # Errors
/// Exit status 1, with the predicate types.
pub(super) fn require_signature(lines: &[String]) -> Result<()> {
    // One line of the output of `cosign verify` is a JSON list of what it verified.
    let verified = lines.iter().find_map(|line| {
        let list = serde_json::from_str::<Vec<Value>>(line).ok()?;
        let kind = |one: &Value| Some(one["critical"]["type"].as_str()?.to_owned());
        list.iter().map(kind).collect::<Option<Vec<String>>>()
    });
    let kinds = verified.ok_or_else(|| broken("cosign does not say what it verified"))?;
    if kinds
        .iter()
        .any(|kind| kind == bundle::SIGNED || kind == SIMPLE)
    {
        return Ok(());
    }
    Err(not_so(format!(
        "nobody signed it; it is attested: {}",
        kinds.join(", ")
    ))
    .hint("ask for what is attested: --attestation TYPE")
    .into())
}

/// The failure of a Job that looked for an attestation, where what cosign found of this
/// signer is another one, or a signature: that is an answer, in the words of `evidence`.
pub(super) fn not_attested(fail: Fail, image: Option<&str>, signer: Option<&str>) -> Fail {
    const SAID: &str = "none of the attestations matched the predicate type: ";
    let said = fail.tail.iter().find_map(|line| line.split_once(SAID));
    let Some((wanted, found)) = said.and_then(|(_, rest)| rest.rsplit_once(", found: ")) else {
        return fail;
    };
    let (image, who) = (image.unwrap_or("the image"), signer.unwrap_or("somebody"));
    let kinds: BTreeSet<&str> = found.split(',').filter(|kind| !kind.is_empty()).collect();
    let told = kinds.into_iter().map(|kind| match kind {
        bundle::SIGNED => format!("{who} signed it"),
        kind => format!("{who} attested {kind}"),
    });
    let what = format!(
        "nobody attested {wanted} of {image}; {}",
        told.collect::<Vec<_>>().join(" and ")
    );
    Fail {
        problem: Some("unsigned"),
        ..not_so(what).hint(format!(
            "look at it: cargo xtask inspect-rekor {}",
            quote(image)
        ))
    }
}

/// Streams the log of a Job and returns its lines, without the bundle.
fn log_of(
    kubectl: &Kubectl,
    job: &str,
    bundle_file: Option<&Path>,
    report: &dyn Fn(StepEvent<'_>),
) -> Result<Vec<String>> {
    let mut words = words!["logs", "--follow", "--namespace", DEFAULT];
    words.extend(words!["--all-containers", "--ignore-errors"]);
    words.push(format!("job/{job}").into());
    let mut lines = Vec::new();
    let mut kept = Ok(());
    each_line_of(&kubectl.command(words), &mut |line| {
        if let Some(file) = bundle_file.filter(|_| bundle::read(line.as_bytes()).is_ok()) {
            kept = state::write(file, line.as_bytes(), 0o600);
        } else {
            report(StepEvent::Line(line));
            lines.push(line.to_owned());
        }
        lines.len() < MOST
    })?;
    kept?;
    Ok(lines)
}

/// A Job that did not run says nothing about the image, so its failure is not the answer
/// "no".
fn could_not_look(error: &anyhow::Error) -> Fail {
    Fail {
        exit: BROKEN,
        ..Fail::from_error(error)
    }
}
