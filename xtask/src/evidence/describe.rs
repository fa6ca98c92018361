//! What is known of a signature, in words.

use anyhow::Result;
use console::style;

use super::Inspected;
use crate::bundle::Content;
use crate::entry::{Entry, Version};
use crate::format::certificate::Leaf;
use crate::proof::{Counted, Evidence, Proof};
use crate::text::printable;
use crate::time;

/// Where the values of the lines begin.
pub(crate) const SECOND: usize = 13;
/// Where the details of the checks begin.
pub(crate) const SECOND_OF_CHECKS: usize = 15;

/// The name under which a signature was found, where there are several.
pub(crate) fn title(inspected: &Inspected) -> Option<String> {
    let title = inspected.title.as_ref()?;
    Some(format!("\n{}", printable(title)))
}

/// Says in one sentence who signed what and when, and whether that is proved.
pub(crate) fn sentence(inspected: &Inspected) -> String {
    let Inspected {
        evidence, proof, ..
    } = inspected;
    let leaf = evidence.leaf();
    let who = leaf
        .as_ref()
        .and_then(|leaf| leaf.identities().first().cloned())
        .unwrap_or_else(|| match evidence.entry().map(Entry::recorded) {
            Some(Ok(None) | Err(_)) if evidence.bundle.is_none() => "someone".into(),
            _ => "a key without a name".into(),
        });
    let when = match proof.signed_at.and_then(time::from_unix) {
        Some(time) => format!(" at {time}"),
        None => String::new(),
    };
    let what =
        artifact(evidence).unwrap_or_else(|| "something of which the log has the digest".into());
    let sentence = match attested(evidence) {
        Some(kind) => format!("{who} attested {kind} of {what}{when}"),
        None => format!("{who} signed {what}{when}"),
    };
    match proof.failed().is_empty() {
        true => sentence,
        false => format!("not proved: that {sentence}"),
    }
}

/// The predicate type of an attestation (in-toto); `None` where it is a signature.
pub(super) fn attested(evidence: &Evidence) -> Option<String> {
    let content = &evidence.bundle.as_ref()?.content;
    let kind = || content.predicate_type();
    content
        .is_attestation()
        .then(|| kind().unwrap_or_else(|| "something".into()))
}

/// The artifact: as it was asked about, else as what was signed names it.
pub(super) fn artifact(evidence: &Evidence) -> Option<String> {
    if let Some(subject) = &evidence.subject {
        return Some(subject.name.clone());
    }
    if let Some(bundle) = &evidence.bundle {
        return Some(bundle.content.subjects().join(", ")).filter(|named| !named.is_empty());
    }
    let recorded = evidence.entry()?.recorded().ok()??;
    (!recorded.of_payload).then(|| recorded.digest_text())
}

/// What is known of the entry of a signature.
pub(crate) fn lines(inspected: &Inspected) -> Result<Vec<String>> {
    let evidence = &inspected.evidence;
    let mut lines = vec![printable(&sentence(inspected)), String::new()];
    let Some(entry) = evidence.entry() else {
        return Ok(lines);
    };
    let (rekor, index) = (entry.rekor.name(), entry.index);
    lines.push(format!("log          Rekor {rekor}, index {index}"));
    if let Some(uuid) = &entry.uuid {
        lines.push(format!("uuid         {}", printable(uuid)));
    }
    lines.push(format!("kind         {}", printable(&entry.kind())));
    lines.extend(digest_lines(entry, evidence)?);
    let leaf = evidence.leaf();
    let shown =
        |value: Option<String>| printable(&value.unwrap_or_else(|| "no certificate".into()));
    let identity = shown(leaf.as_ref().map(|leaf| leaf.identities().join(", ")));
    let issuer = shown(leaf.as_ref().and_then(Leaf::issuer_claim));
    lines.push(format!("identity     {identity}"));
    lines.push(format!("issuer       {issuer}"));
    let no_time = match entry.rekor {
        Version::V1 => "not recorded",
        Version::V2 => "not recorded: Rekor v2 leaves time to the timestamp in the bundle",
    };
    let integrated = entry.integrated.and_then(time::from_unix);
    let integrated = integrated.as_deref().unwrap_or(no_time);
    lines.push(format!("integrated   {integrated}"));
    Ok(lines)
}

/// What the entry records, and of what that is the digest.
fn digest_lines(entry: &Entry, evidence: &Evidence) -> Result<Vec<String>> {
    let recorded = match entry.recorded() {
        Ok(Some(recorded)) => recorded,
        Ok(None) => {
            let head = "digest       this program does not read entries of this kind; all of it:";
            let body = serde_json::to_string_pretty(&entry.body)?;
            let body = body.lines().map(|line| format!("  {}", printable(line)));
            return Ok(std::iter::once(head.to_owned()).chain(body).collect());
        }
        Err(why) => return Ok(vec![format!("digest       {}", printable(&why))]),
    };
    let content = evidence.bundle.as_ref().map(|bundle| &bundle.content);
    let of = match content {
        _ if recorded.of_payload => "of the payload of an envelope",
        Some(Content::Message { .. }) => "of what was signed",
        Some(_) => "of the statement that was signed, which names the artifact",
        None => "of what was signed; for an image that is a statement which names it",
    };
    Ok(vec![
        format!("digest       {}", recorded.digest_text()),
        format!("             {of}"),
    ])
}

/// Each check, and whether it holds.
pub(crate) fn checks(proof: &Proof) -> Vec<String> {
    let checked = proof.checks.iter().map(|check| {
        let mark = if check.ok {
            style("✓").green()
        } else {
            style("✗").red()
        };
        let detail = printable(&check.detail);
        format!("{mark} {:<12} {detail}", check.link)
    });
    let unchecked = proof.unchecked.iter().map(|unchecked| {
        let detail = printable(&unchecked.detail);
        format!("- {:<12} not checked: {detail}", unchecked.link)
    });
    checked
        .chain(unchecked)
        .chain(counted_lines(&proof.counted))
        .collect()
}

/// What of the trusted root the checks rest on.
fn counted_lines(counted: &[Counted]) -> Vec<String> {
    if counted.is_empty() {
        return Vec::new();
    }
    let lines = counted.iter().map(|counted| {
        let (name, period) = (printable(&counted.name), counted.period());
        format!("  {:<12} {name}, {period}", counted.link)
    });
    let head = "\nwhat counted of the trusted root:".to_owned();
    std::iter::once(head).chain(lines).collect()
}
