//! `inspect-rekor` and `inspect-certificate`: what the log holds, who signed.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::App;
use crate::bundle;
use crate::certificate::Leaf;
use crate::cli::EntryOptions;
use crate::fail::{broken, not_so};
use crate::rekor::{self, Entry, Version, Which};
use crate::state;
use crate::target::Target;

pub fn rekor(app: &App, options: &EntryOptions, raw: bool) -> Result<Option<Value>> {
    let target = app.target()?;
    let entry = entry(target.as_ref(), options)?;
    if raw {
        let text = serde_json::to_string_pretty(&entry.raw)?;
        app.ui.event(&entry.raw);
        app.ui.say(text);
        return Ok(None);
    }
    let document = entry.json()?;
    for line in entry.lines()? {
        app.ui.say(line);
    }
    app.ui.next(&certificate_command(&entry));
    app.ui.event(&document);
    Ok(None)
}

pub fn certificate(
    app: &App,
    options: &EntryOptions,
    file: Option<&Path>,
    text: bool,
) -> Result<Option<Value>> {
    let named = options.log_index.is_some() || options.uuid.is_some() || options.rekor.is_some();
    let leaf = match file {
        Some(file) => from_bundle(file)?,
        None if named => entry(app.target()?.as_ref(), options)?
            .leaf()?
            .ok_or_else(|| {
                not_so("that entry holds no certificate: it was signed with a key, not an identity")
            })?,
        None => from_bundle(&last(app.target()?.as_ref())?.bundle)?,
    };
    if text {
        let text = openssl(&leaf)?;
        app.ui.say(text.trim_end());
        app.ui.event(&json!({"text": text}));
        return Ok(None);
    }
    for line in leaf.lines() {
        app.ui.say(line);
    }
    app.ui.event(&leaf.json());
    Ok(None)
}

/// The entry that was asked for; without an index or an id, that of the last
/// signature made here.
fn entry(target: &dyn Target, options: &EntryOptions) -> Result<Entry> {
    let (version, which) = match (&options.uuid, options.log_index) {
        (Some(uuid), _) => (
            options.rekor.unwrap_or(Version::V1),
            Which::Uuid(uuid.clone()),
        ),
        (None, Some(index)) => (
            options.rekor.unwrap_or_else(|| target.rekor()),
            Which::Index(index),
        ),
        (None, None) => {
            let mut signatures = target.signatures()?;
            if let Some(version) = options.rekor {
                signatures.retain(|signature| signature.rekor == version);
            }
            let signature = signatures.pop().ok_or_else(nothing_signed)?;
            if let Some(lost) = target.lost(&signature)? {
                return Err(lost.into());
            }
            (signature.rekor, Which::Index(signature.log_index))
        }
    };
    let reached = target.reach_rekor(version)?;
    rekor::fetch(version, &reached.server, &which)
}

fn last(target: &dyn Target) -> Result<crate::artifact::Signature> {
    Ok(target.signatures()?.pop().ok_or_else(nothing_signed)?)
}

fn nothing_signed() -> crate::fail::Fail {
    not_so("nothing has been signed here yet").hint("cargo xtask sign")
}

fn from_bundle(file: &Path) -> Result<Leaf> {
    let text =
        state::read(file)?.ok_or_else(|| broken(format!("there is no file {}", file.display())))?;
    bundle::read(&text)?.leaf()
}

fn certificate_command(entry: &Entry) -> String {
    format!(
        "cargo xtask inspect-certificate --rekor {} --log-index {}",
        entry.rekor.name(),
        entry.index
    )
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
