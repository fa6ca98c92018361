//! The memory of a process that was started: which it is, and what it was started with.

use std::path::{Path, PathBuf};

use anyhow::Result;
use ring::digest;
use serde::{Deserialize, Serialize};

use super::platform;
use crate::format::hex::hex;
use crate::state;

/// `run/NAME.json`: a process that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessRecord {
    /// Its process id.
    pub pid: u32,
    /// When it started, as the system tells it: with the pid it names one
    /// process forever.
    pub started: String,
    /// When it was started, RFC 3339.
    pub since: String,
    /// Its log file, relative to the target's directory.
    pub log: PathBuf,
    /// Where in its log this run begins, in bytes.
    pub log_from: u64,
    /// The version of its Go module, where it was known.
    pub version: Option<String>,
    /// A hash of its command line and of the files it uses; another value means that the
    /// server must be restarted.
    pub fingerprint: String,
}

impl ProcessRecord {
    /// Whether this very process still runs.
    pub(crate) fn alive(&self) -> bool {
        platform::started(self.pid).as_deref() == Some(&self.started)
    }
}

/// The record of a server, whether it still runs or not.
pub(crate) fn record(dir: &Path, name: &str) -> Result<Option<ProcessRecord>> {
    state::read_json(&record_path(dir, name))
}

/// Whether a server was started and not stopped since, whether it runs or not.
pub(crate) fn was_started(dir: &Path, name: &str) -> bool {
    record_path(dir, name).exists()
}

/// The record of a server that runs.
pub(crate) fn running(dir: &Path, name: &str) -> Result<Option<ProcessRecord>> {
    Ok(record(dir, name)?.filter(ProcessRecord::alive))
}

pub(super) fn record_path(dir: &Path, name: &str) -> PathBuf {
    dir.join("run").join(format!("{name}.json"))
}

/// A hash of a command line and of the files that the server reads.
pub(crate) fn fingerprint(dir: &Path, words: &[String], uses: &[String]) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    for word in words {
        hash.update(word.as_bytes());
        hash.update(&[0]);
    }
    for file in uses {
        hash.update(&std::fs::read(dir.join(file)).unwrap_or_default());
        hash.update(&[0]);
    }
    hex(hash.finish().as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time;

    /// A pid that was recycled: the process runs, but it is another one.
    #[test]
    fn a_recycled_pid_is_another_process() {
        let me = std::process::id();
        let record = ProcessRecord {
            pid: me,
            started: platform::started(me).unwrap(),
            since: time::now(),
            log: PathBuf::from("logs/x.log"),
            log_from: 0,
            version: None,
            fingerprint: String::new(),
        };
        assert!(record.alive());
        assert!(
            !ProcessRecord {
                started: "another boot:1".into(),
                ..record
            }
            .alive()
        );
    }
}
