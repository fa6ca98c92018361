//! Findings of a preflight, of whatever target.

use std::path::Path;

use serde::Serialize;

use crate::fail::{Fail, not_so};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// What: `go`.
    pub name: &'static str,
    /// What is required.
    pub wanted: String,
    /// What is there.
    pub found: String,
    /// Whether that is enough.
    pub ok: bool,
    /// Why it does not matter, where it is missing and does not.
    pub optional: Option<&'static str>,
    /// How to get it, where it is missing.
    pub hint: Option<String>,
}

/// Everything that was looked at, for a script.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    /// All of them.
    pub(crate) checks: Vec<Finding>,
    /// Whether work can go on.
    pub(crate) ok: bool,
}

impl Finding {
    /// Starts one: nothing was found yet.
    pub(crate) fn new(name: &'static str, wanted: impl Into<String>) -> Finding {
        Finding {
            name,
            wanted: wanted.into(),
            found: String::new(),
            ok: false,
            optional: None,
            hint: None,
        }
    }

    /// It is there.
    pub(crate) fn found(mut self, found: impl Into<String>) -> Finding {
        self.found = found.into();
        self.ok = true;
        self
    }

    /// It is missing, or not enough. Not everything has a way out to name.
    pub(crate) fn missing(mut self, found: impl Into<String>, hint: impl Into<String>) -> Finding {
        self.found = found.into();
        self.hint = Some(hint.into()).filter(|hint| !hint.is_empty());
        self
    }

    /// It may be missing.
    pub(crate) fn optional(mut self, why: &'static str) -> Finding {
        self.optional = (!self.ok).then_some(why);
        self
    }

    /// Whether work can go on.
    pub(crate) fn passes(&self) -> bool {
        self.ok || self.optional.is_some()
    }
}

/// Whether a state directory has room for what is written into it. On a full disk logs
/// lose what was sent to them, and no command can remember what it did.
pub(crate) fn room(state: &Path) -> Finding {
    const ROOM: u64 = 100_000_000;
    let finding = Finding::new("state", "100 MB free for keys, logs and images");
    let existing = state.ancestors().find(|dir| dir.exists());
    let existing = existing.unwrap_or(Path::new("/"));
    let how = "make room there, or move the directory and name it: --state DIR";
    match rustix::fs::statvfs(existing) {
        Err(error) => finding.missing(format!("{}: {error}", existing.display()), how),
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let place = existing.display();
            // Some file systems count no files.
            if stat.f_files > 0 && stat.f_favail == 0 {
                return finding.missing(format!("no file can be made at {place}"), how);
            }
            let found = format!("{} MB free at {place}", free / 1_000_000);
            match free >= ROOM {
                true => finding.found(found),
                false => finding.missing(found, how),
            }
        }
    }
}

/// Where what was found begins in the table.
pub(crate) const SECOND: usize = 13;

/// The findings as a table.
pub(crate) fn lines(findings: &[Finding]) -> Vec<String> {
    let mut lines = Vec::new();
    for finding in findings {
        let mark = if finding.ok {
            "✓"
        } else if finding.optional.is_some() {
            "-"
        } else {
            "✗"
        };
        lines.push(format!(
            "{mark} {:<10} {} (wanted: {})",
            finding.name, finding.found, finding.wanted
        ));
        if let Some(why) = finding.optional {
            lines.push(format!("             {why}"));
        }
        if let Some(hint) = finding.hint.as_ref().filter(|_| !finding.ok) {
            lines.push(format!("             hint: {hint}"));
        }
    }
    lines
}

/// The failure that the findings amount to, with every hint.
pub(crate) fn verdict(findings: &[Finding]) -> Result<(), Fail> {
    let failed: Vec<_> = findings
        .iter()
        .filter(|finding| !finding.passes())
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    let what: Vec<_> = failed
        .iter()
        .map(|check| format!("{}: {}", check.name, check.found))
        .collect();
    let fail = not_so(format!("what is needed is not there ({})", what.join("; ")));
    Err(failed
        .iter()
        .filter_map(|finding| finding.hint.clone())
        .fold(fail, Fail::hint))
}

/// The numbers of a version, for comparing: `1.26.8` is `[1, 26, 8]`; what
/// follows the first character that is neither digit nor dot does not count.
pub fn numbers(version: &str) -> Option<Vec<u32>> {
    let end = version
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(version.len());
    version[..end]
        .trim_end_matches('.')
        .split('.')
        .map(|part| part.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(numbers("1.26.8") >= numbers("1.26.0"));
        assert!(numbers("1.9") < numbers("1.26.0"));
        assert!(numbers("1.27rc1") > numbers("1.26.0"));
        assert_eq!(numbers("devel"), None);
    }
}
