//! `doctor`: every known problem that can be looked for, all findings at once.

use anyhow::Result;
use clap::Args;

use crate::app::{Answer, App};
use crate::fail::{Fail, not_so};
use crate::preflight::{self, Findings};

/// Look for every known problem, all findings at once, with what to type
#[derive(Debug, Args)]
pub(crate) struct DoctorCommand {}

impl DoctorCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let mut findings = app.target()?.doctor()?;
        findings.push(preflight::room(app.state.root()));
        for line in preflight::lines(&findings) {
            app.ui.say_row(line, preflight::SECOND);
        }
        let failed: Vec<_> = findings
            .iter()
            .filter(|finding| !finding.passes())
            .collect();
        let names: Vec<_> = failed.iter().map(|finding| finding.name).collect();
        let hints = failed.iter().filter_map(|finding| finding.hint.clone());
        let wrong = (!failed.is_empty()).then(|| {
            let fail = not_so(format!("something is wrong: {}", names.join(", ")));
            hints.fold(fail, Fail::hint)
        });
        let ok = wrong.is_none();
        if ok {
            app.ui.say("no known problem found");
        }
        Ok(Answer::document(Findings {
            checks: findings,
            ok,
        })
        .but(wrong))
    }
}
