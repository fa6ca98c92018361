//! `inspect-rekor` and `inspect-certificate`: who signed what and when, and whether
//! every link of that holds.

use std::io::Write;
use std::process::Stdio;

use anyhow::{Context, Result};
use console::style;
use serde_json::{Value, json};

use super::App;
use super::evidence::{self, Ask, Inspected};
use crate::bundle::Content;
use crate::cli::EvidenceOptions;
use crate::entry::{Entry, Version};
use crate::fail::{Fail, broken, not_so};
use crate::format::certificate::Leaf;
use crate::format::hex::hex;
use crate::proof::{Evidence, Proof};
use crate::text::printable;
use crate::time;
use crate::tlog::merkle;
use crate::ui::Ui;

/// The checks that are about the certificate, and about the time that it needs.
const OF_CERTIFICATE: [&str; 7] = [
    "promise",
    "chain",
    "sct",
    "timestamp",
    "validity",
    "identity",
    "issuer",
];

pub fn rekor(app: &App, options: &EvidenceOptions, raw: bool) -> Result<Option<Value>> {
    let mut verdicts = Verdicts::default();
    evidence::each(app, options, Ask::TheLog, |mut inspected| {
        if raw {
            let entry = inspected.evidence.entry();
            let entry = entry.ok_or_else(|| broken("the bundle holds no log entry"))?;
            app.ui.event(&entry.raw);
            app.ui.say(serde_json::to_string_pretty(&entry.raw)?);
            return Ok(());
        }
        app.ui.event(&document(&inspected)?);
        say_title(&app.ui, &inspected);
        for line in lines(&inspected)? {
            app.ui.say(line);
        }
        say_checks(&app.ui, &inspected.proof);
        verdicts.add(&mut inspected);
        Ok(())
    })?;
    if !raw {
        verdicts.end()?;
        // Without options the report is of the last signature made here as well.
        let last = options.bundle.is_empty()
            && options.image.is_none()
            && options.log_index.is_none()
            && options.uuid.is_none()
            && options.rekor.is_none();
        if last {
            app.ui.next("cargo xtask report");
        }
    }
    Ok(None)
}

pub fn certificate(app: &App, options: &EvidenceOptions, text: bool) -> Result<Option<Value>> {
    let mut verdicts = Verdicts::default();
    evidence::each(app, options, Ask::Nobody, |mut inspected| {
        let Some(leaf) = inspected.evidence.leaf() else {
            let why = "there is no certificate: it was signed with a key, not an identity";
            if inspected.title.is_none() {
                return Err(not_so(why).into());
            }
            app.ui
                .event(&json!({"found_at": inspected.title, "ok": false, "error": why}));
            say_title(&app.ui, &inspected);
            app.ui.say(why);
            verdicts.fail(vec!["certificate"]);
            return Ok(());
        };
        if text {
            let text = openssl(&leaf)?;
            app.ui.say(text.trim_end());
            app.ui.event(&json!({"text": text}));
            return Ok(());
        }
        let proof = &mut inspected.proof;
        // An artifact that was named must not be passed over in silence.
        let named = options.blob.is_some() || options.image.is_some();
        let shown = |name| {
            OF_CERTIFICATE.contains(&name) || named && matches!(name, "artifact" | "signature")
        };
        proof.checks.retain(|check| shown(check.name));
        proof.unchecked.retain(|check| shown(check.name));
        let mut document = leaf.json();
        add_checks(&mut document, proof);
        app.ui.event(&document);
        say_title(&app.ui, &inspected);
        for line in leaf.lines() {
            app.ui.say(line);
        }
        say_checks(&app.ui, &inspected.proof);
        verdicts.add(&mut inspected);
        Ok(())
    })?;
    verdicts.end()?;
    Ok(None)
}

/// What all signatures that were looked at come to.
#[derive(Default)]
pub struct Verdicts {
    looked_at: usize,
    failed: Vec<Vec<&'static str>>,
    forked: Option<Fail>,
}

impl Verdicts {
    /// Adds one.
    pub fn add(&mut self, inspected: &mut Inspected) {
        let failed = inspected.proof.failed();
        if failed.is_empty() {
            self.looked_at += 1;
        } else {
            self.fail(failed);
        }
        self.forked = self.forked.take().or(inspected.forked.take());
    }

    /// Adds one of which these checks do not hold.
    fn fail(&mut self, failed: Vec<&'static str>) {
        self.looked_at += 1;
        self.failed.push(failed);
    }

    /// The failure that they come to, where a link of one does not hold. With
    /// `--json` its document has said so.
    ///
    /// # Errors
    /// Exactly then.
    pub fn end(self) -> Result<()> {
        if let Some(forked) = self.forked {
            return Err(forked.reported().into());
        }
        let fail = match (self.looked_at, self.failed.as_slice()) {
            (_, []) => return Ok(()),
            (1, [failed]) => not_so(format!("not proved: {}", failed.join(", "))),
            (all, failed) => not_so(format!("not proved: {} of {all} signatures", failed.len())),
        };
        Err(fail.reported().into())
    }
}

fn say_title(ui: &Ui, inspected: &Inspected) {
    if let Some(title) = &inspected.title {
        ui.say(format!("\n{}", printable(title)));
    }
}

/// Who signed what and when, in a sentence; of what is not proved, that it is not.
pub fn sentence(inspected: &Inspected) -> String {
    let Inspected {
        evidence, proof, ..
    } = inspected;
    let leaf = evidence.leaf();
    let who = leaf
        .as_ref()
        .and_then(|leaf| leaf.identities().first().cloned())
        .unwrap_or_else(|| match evidence.entry().map(Entry::recorded) {
            Some(Ok(None) | Err(_)) if evidence.bundle.is_none() => "somebody".into(),
            _ => "a key without a name".into(),
        });
    let when = match proof.signed_at.and_then(time::from_unix) {
        Some(time) => format!(" at {time}"),
        None => String::new(),
    };
    let what =
        artifact(evidence).unwrap_or_else(|| "something of which the log has the digest".into());
    let sentence = format!("{who} signed {what}{when}");
    match proof.failed().is_empty() {
        true => sentence,
        false => format!("not proved: that {sentence}"),
    }
}

/// The artifact: as it was asked about, else as what was signed names it.
fn artifact(evidence: &Evidence) -> Option<String> {
    if let Some(subject) = &evidence.subject {
        return Some(subject.name.clone());
    }
    if let Some(bundle) = &evidence.bundle {
        return Some(bundle.content.subjects().join(", ")).filter(|named| !named.is_empty());
    }
    let recorded = evidence.entry()?.recorded().ok()??;
    (!recorded.of_payload).then(|| recorded.digest_text())
}

fn lines(inspected: &Inspected) -> Result<Vec<String>> {
    let evidence = &inspected.evidence;
    let mut lines = vec![printable(&sentence(inspected)), String::new()];
    let Some(entry) = evidence.entry() else {
        return Ok(lines);
    };
    lines.push(format!(
        "log          Rekor {}, index {}",
        entry.rekor.name(),
        entry.index
    ));
    if let Some(uuid) = &entry.uuid {
        lines.push(format!("uuid         {}", printable(uuid)));
    }
    lines.push(format!("kind         {}", printable(&entry.kind())));
    match entry.recorded() {
        Ok(Some(recorded)) => {
            let content = evidence.bundle.as_ref().map(|bundle| &bundle.content);
            let of = match content {
                _ if recorded.of_payload => "of the payload of an envelope",
                Some(Content::Message { .. }) => "of what was signed",
                Some(_) => "of the statement that was signed, which names the artifact",
                None => "of what was signed; for an image that is a statement which names it",
            };
            lines.push(format!("digest       {}", recorded.digest_text()));
            lines.push(format!("             {of}"));
        }
        Ok(None) => {
            lines.push(
                "digest       this program does not read entries of this kind; all of it:".into(),
            );
            let body = serde_json::to_string_pretty(&entry.body)?;
            lines.extend(body.lines().map(|line| format!("  {}", printable(line))));
        }
        Err(why) => lines.push(format!("digest       {}", printable(&why))),
    }
    let leaf = evidence.leaf();
    let shown =
        |value: Option<String>| printable(&value.unwrap_or_else(|| "no certificate".into()));
    let identity = leaf.as_ref().map(|leaf| leaf.identities().join(", "));
    lines.push(format!("identity     {}", shown(identity)));
    lines.push(format!(
        "issuer       {}",
        shown(leaf.as_ref().and_then(Leaf::issuer_claim))
    ));
    let no_time = match entry.rekor {
        Version::V1 => "not recorded",
        Version::V2 => "not recorded: Rekor v2 leaves time to the timestamp in the bundle",
    };
    let integrated = entry.integrated.and_then(time::from_unix);
    lines.push(format!(
        "integrated   {}",
        integrated.as_deref().unwrap_or(no_time)
    ));
    Ok(lines)
}

fn say_checks(ui: &Ui, proof: &Proof) {
    ui.say("");
    for check in &proof.checks {
        let mark = if check.ok {
            style("✓").green()
        } else {
            style("✗").red()
        };
        ui.say(format!(
            "{mark} {:<12} {}",
            check.name,
            printable(&check.detail)
        ));
    }
    for unchecked in &proof.unchecked {
        let detail = printable(&unchecked.detail);
        ui.say(format!("- {:<12} not checked: {detail}", unchecked.name));
    }
}

fn add_checks(document: &mut Value, proof: &Proof) {
    document["ok"] = json!(proof.failed().is_empty());
    document["checks"] = json!(proof.checks);
    document["unchecked"] = json!(proof.unchecked);
}

/// All that is known of a signature, for a script. Times are RFC 3339, hashes
/// hexadecimal.
///
/// # Errors
/// Where its certificate cannot be read.
pub fn document(inspected: &Inspected) -> Result<Value> {
    let Inspected {
        evidence, proof, ..
    } = inspected;
    let leaf = evidence.leaf();
    let entry = evidence.entry();
    let recorded = entry.and_then(|entry| entry.recorded().ok().flatten());
    let mut document = json!({
        "rekor": entry.map(|entry| entry.rekor),
        "log_index": entry.map(|entry| entry.index),
        "uuid": entry.and_then(|entry| entry.uuid.clone()),
        "kind": entry.map(Entry::kind),
        "digest": recorded.map(|recorded| recorded.digest_text()),
        "integrated_time": entry.and_then(|entry| entry.integrated).and_then(time::from_unix),
        "identity": leaf.as_ref().and_then(|leaf| leaf.identities().first().cloned()),
        "issuer": leaf.as_ref().and_then(Leaf::issuer_claim),
        "artifact": artifact(evidence),
        "signed_at": proof.signed_at.and_then(time::from_unix),
        "found_at": inspected.title,
        "inclusion": entry.and_then(inclusion),
        "checkpoint": proof.checkpoint.as_ref().map(|(id, checkpoint)| json!({
            "log_id": hex(id),
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": hex(&checkpoint.root),
        })),
    });
    add_checks(&mut document, proof);
    Ok(document)
}

fn inclusion(entry: &Entry) -> Option<Value> {
    let proof = entry.proof.as_ref()?;
    let hashes: Vec<String> = proof.hashes.iter().map(|hash| hex(hash)).collect();
    Some(json!({
        "index": proof.index,
        "size": proof.size,
        "leaf_hash": hex(&merkle::leaf_hash(&entry.canonical)),
        "hashes": hashes,
        "root": hex(&proof.root),
    }))
}

/// What `openssl x509 -text` says.
fn openssl(leaf: &Leaf) -> Result<String> {
    let missing = "install openssl with the system's package manager, or leave --text out";
    let program = which::which("openssl")
        .map_err(|_| broken("openssl was not found on the PATH").hint(missing))?;
    let mut child = std::process::Command::new(program)
        .args(["x509", "-inform", "DER", "-noout", "-text"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("start openssl")?;
    child
        .stdin
        .take()
        .context("talk to openssl")?
        .write_all(leaf.der())
        .context("talk to openssl")?;
    let output = child.wait_with_output().context("listen to openssl")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr)
            .lines()
            .map(str::to_owned)
            .collect();
        return Err(broken("openssl cannot read the certificate")
            .tail(said)
            .into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
