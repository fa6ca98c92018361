//! `inspect-rekor`: who signed what and when, and whether every link from the artifact to
//! the log holds.

use std::path::Path;

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App, EvidenceArgs};
use crate::evidence::{Document, Inspected, Online, Verdicts, describe};
use crate::fail::broken;
use crate::walkthrough::Milestone;

/// Show who signed what and when, and prove every link from the artifact to the log
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask inspect-rekor
  cargo xtask inspect-rekor --blob README.md
  cargo xtask inspect-rekor --rekor v2 --log-index 4")]
pub(crate) struct InspectRekorCommand {
    /// Which signature.
    #[command(flatten)]
    evidence: EvidenceArgs,
    /// Print what the server said, as JSON
    #[arg(long)]
    raw: bool,
}

impl InspectRekorCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        if self.raw {
            let show = |inspected| show_raw(app, &inspected);
            self.evidence.inspect_all(app, Online(true), show)?;
            return Ok(Answer::printed());
        }
        let mut verdicts = Verdicts::default();
        self.evidence
            .inspect_all(app, Online(true), |mut inspected| {
                app.ui.event(&Document::of(&inspected));
                let lines = describe::title(&inspected).into_iter();
                for line in lines.chain(describe::lines(&inspected)?) {
                    app.ui.say_row(line, describe::SECOND);
                }
                app.ui.say("");
                for line in describe::checks(&inspected.proof) {
                    app.ui.say_row(line, describe::SECOND_OF_CHECKS);
                }
                verdicts.add(&mut inspected);
                Ok(())
            })?;
        if let Some(fail) = verdicts.end() {
            return Ok(Answer::printed().but(Some(fail)));
        }
        // Without options the report is of the last signature made here as well.
        if self.evidence.is_of_last() {
            app.ui.next("cargo xtask report");
        }
        Ok(Answer::printed().milestone(self.milestone(app)))
    }

    /// Bundles are another client's where none of them was made here.
    fn milestone(&self, app: &App) -> Option<Milestone> {
        let bundles = &self.evidence.bundle;
        if bundles.is_empty() {
            return Some(Milestone::InspectRekor);
        }
        let foreign = app.has_installation() && !bundles.iter().any(|file| made_here(app, file));
        foreign.then_some(Milestone::ForeignBundle)
    }
}

fn show_raw(app: &App, inspected: &Inspected) -> Result<()> {
    let entry = inspected.evidence.entry();
    let entry = entry.ok_or_else(|| broken("the bundle holds no log entry"))?;
    app.ui.event(&entry.raw);
    app.ui.say(serde_json::to_string_pretty(&entry.raw)?);
    Ok(())
}

/// Whether a bundle was made here, or is a copy of one that was. Of one that cannot be
/// read again, such as standard input, that is not known.
fn made_here(app: &App, file: &Path) -> bool {
    let all = app.target().and_then(|target| target.signatures());
    let (Ok(all), Ok(text)) = (all, std::fs::read(file)) else {
        return true;
    };
    all.iter()
        .any(|made| std::fs::read(&made.bundle).is_ok_and(|other| other == text))
}
