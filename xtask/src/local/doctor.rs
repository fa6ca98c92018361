//! The search for known problems of the local target's servers.

use anyhow::Result;

use super::{Local, process, wait};
use crate::fail::not_so;
use crate::preflight::Finding;
use crate::problems;
use crate::target::{ComponentState, Lifecycle};

/// How many of the last lines of a log are looked at.
const LINES: usize = 40;

impl Local {
    /// Checks whether every server is up.
    pub(super) fn servers_are_up(&self) -> Result<Finding> {
        let finding = Finding::new("servers", "all up");
        let down: Vec<String> = self
            .status()?
            .into_iter()
            .filter(|component| component.state != ComponentState::Up)
            .map(|component| format!("{} is {}", component.name, component.state))
            .collect();
        Ok(if down.is_empty() {
            finding.found("all up")
        } else {
            finding.missing(down.join(", "), self.why_down(&[]))
        })
    }

    /// Looks for known problems in what the servers printed last.
    pub(super) fn logs_are_clean(&self) -> Result<Finding> {
        let finding = Finding::new("logs", "no known problem in what the servers print");
        let mut found = Vec::new();
        let mut hints = Vec::new();
        for server in self.manifest.chosen(self.settings.rekor) {
            let Some(record) = process::running(&self.dir, &server.name)? else {
                continue;
            };
            for line in wait::last_lines(&self.dir, &record, LINES) {
                let fail = problems::explain(not_so("").tail(vec![line]));
                let what = format!("{}: {}", server.name, fail.what);
                if fail.known && !found.contains(&what) {
                    found.push(what);
                    hints.extend(fail.hints);
                }
            }
        }
        Ok(if found.is_empty() {
            finding.found("none")
        } else {
            finding
                .missing(found.join("; "), hints.join("; "))
                .optional("it may be over")
        })
    }
}
