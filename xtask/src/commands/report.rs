//! `report`: the whole ceremony of a signature as a page to look at.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use super::App;
use super::evidence::{self, Ask, Inspected};
use super::inspect::{Verdicts, document, sentence};
use crate::cli::EvidenceOptions;
use crate::fail::{Fail, broken};
use crate::report::{self, Signature};
use crate::state;
use crate::text::printable;
use crate::text::quote;

pub fn run(app: &App, options: &EvidenceOptions, output: &Path) -> Result<Option<Value>> {
    refuse(output)?;
    let mut all: Vec<Inspected> = Vec::new();
    evidence::each(app, options, Ask::TheLog, |inspected| {
        all.push(inspected);
        Ok(())
    })?;
    let signatures: Vec<Signature<'_>> = all.iter().map(signature).collect();
    // Nothing in it is secret, and it is made to be handed on.
    state::write(output, report::page(&signatures).as_bytes(), 0o644)?;

    let page = std::path::absolute(output)?;
    let mut verdicts = Verdicts::default();
    for mut inspected in all {
        let mut document = document(&inspected)?;
        document["page"] = json!(page);
        app.ui.event(&document);
        app.ui.say(printable(&sentence(&inspected)));
        for check in inspected.proof.checks.iter().filter(|check| !check.ok) {
            let detail = printable(&check.detail);
            app.ui.say(format!("✗ {:<12} {detail}", check.name));
        }
        verdicts.add(&mut inspected);
    }
    app.ui.say(format!("wrote {}", output.display()));
    verdicts.end()?;
    Ok(None)
}

fn signature(inspected: &Inspected) -> Signature<'_> {
    Signature {
        title: inspected.title.as_deref(),
        sentence: sentence(inspected),
        evidence: &inspected.evidence,
        proof: &inspected.proof,
    }
}

/// Fails where a page cannot go, before anybody is asked for anything.
fn refuse(output: &Path) -> Result<(), Fail> {
    let dir = match output.parent() {
        Some(dir) if dir != Path::new("") => dir,
        _ => Path::new("."),
    };
    if !dir.is_dir() {
        let name = dir.display();
        return Err(broken(format!("there is no directory {name}"))
            .hint(format!("mkdir -p {}", quote(&dir.to_string_lossy()))));
    }
    // Written beside it and renamed, a page would also replace a device.
    if output.exists() && !output.is_file() {
        let what = format!("{} is there and is no file", output.display());
        return Err(broken(what).hint("name another: cargo xtask report --output report.html"));
    }
    Ok(())
}
