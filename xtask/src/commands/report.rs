//! `report`: the whole ceremony of a signature as a page to look at.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App, EvidenceArgs};
use crate::evidence::describe::sentence;
use crate::evidence::{Document, Inspected, Online, Verdicts};
use crate::fail::{Fail, broken};
use crate::report::{self, Article};
use crate::state;
use crate::text::{printable, quote, shown};
use crate::walkthrough::Milestone;

/// Draw the whole ceremony, from the token to the checkpoint, as a page to look at
#[derive(Debug, Args)]
pub(crate) struct ReportCommand {
    /// Of which signature.
    #[command(flatten)]
    evidence: EvidenceArgs,
    /// The file it goes to
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    output: PathBuf,
}

impl ReportCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        refuse(&self.output)?;
        let mut all: Vec<Inspected> = Vec::new();
        self.evidence.inspect_all(app, Online(true), |inspected| {
            all.push(inspected);
            Ok(())
        })?;
        let articles: Vec<Article<'_>> = all.iter().map(article).collect();
        // Nothing in it is secret, and it is made to be handed on.
        state::write(&self.output, report::page(&articles).as_bytes(), 0o644)?;

        let page = std::path::absolute(&self.output)?;
        let mut verdicts = Verdicts::default();
        for mut inspected in all {
            app.ui
                .event(&Document::of(&inspected).shown_by(page.clone()));
            app.ui.say(printable(&sentence(&inspected)));
            for check in inspected.proof.checks.iter().filter(|check| !check.ok) {
                let detail = printable(&check.detail);
                app.ui.say(format!("✗ {:<12} {detail}", check.link));
            }
            verdicts.add(&mut inspected);
        }
        app.ui.say(format!("wrote {}", shown(&self.output)));
        let refusal = verdicts.end();
        let done = refusal.is_none().then_some(Milestone::Report);
        Ok(Answer::printed().but(refusal).milestone(done))
    }
}

fn article(inspected: &Inspected) -> Article<'_> {
    Article {
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
        let what = format!("{} is there and is not a file", output.display());
        return Err(broken(what).hint("name another: cargo xtask report --output report.html"));
    }
    // What cannot be read is no report either.
    let there = state::read(output).map_or(Some(b"?".to_vec()), |there| there);
    if there.is_some_and(|there| !there.is_empty() && !report::is_page(&there)) {
        let what = format!("{} is there and is not a report", output.display());
        return Err(broken(what).hint("name another, or remove that file first"));
    }
    Ok(())
}
