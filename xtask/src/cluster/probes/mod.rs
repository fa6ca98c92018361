//! What is looked at on the machine and on the cluster, by `preflight` and `doctor`:
//! each probe is one finding.

mod cluster;
mod known_problems;
pub(super) mod programs;
mod secrets;

use anyhow::Result;

use crate::fail::Fail;
use crate::parallel;
use crate::preflight::Finding;

/// What a probe is called, and the probe.
type FindingProbe<'a> = (&'static str, &'a (dyn Fn() -> Result<Finding> + Sync));

/// Runs probes side by side. One that cannot look is a finding as well.
fn look_at(probes: &[FindingProbe<'_>]) -> Vec<Finding> {
    let found = parallel::each(probes, |(_, probe)| probe());
    let found = found.into_iter().zip(probes).map(|(looked, (name, _))| {
        looked.unwrap_or_else(|error| {
            let fail = Fail::from_error(&error);
            let said = fail.tail.last().filter(|_| !fail.known).cloned();
            let hint = fail.hints.join("; ");
            Finding::new(name, "an answer").missing(said.unwrap_or(fail.what), hint)
        })
    });
    found.collect()
}

/// One finding made of several problems, each with its hints.
fn gathered(finding: Finding, good: &str, problems: Vec<(String, Vec<String>)>) -> Finding {
    if problems.is_empty() {
        return finding.found(good);
    }
    let (what, hints): (Vec<String>, Vec<Vec<String>>) = problems.into_iter().unzip();
    let mut hints = hints.concat();
    hints.dedup();
    finding.missing(what.join("; "), hints.join("; "))
}
