//! What a plan of the local target has to know of the machine, gathered before it is
//! built: building a plan looks at nothing and runs nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;

use super::manifest::ProgramRow;
use super::{Local, process};
use crate::entry::Versions;

/// What is so just now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// The servers that were started and not stopped since, whether they run or not.
    pub started: BTreeSet<String>,
    /// The servers that run.
    pub running: BTreeSet<String>,
    /// The programs of this version that are not built.
    pub missing: Vec<ProgramRow>,
    /// How many archives of Go modules a build needs.
    pub archives: u64,
    /// Whether there is a trusted root.
    pub trusted: bool,
    /// The directory of the root below which the next CA is made, where one was named.
    pub offline_root: Option<PathBuf>,
}

impl Facts {
    /// Whether all programs that these versions of the log need are built.
    pub(super) fn built(&self, rekor: Versions) -> bool {
        !self.missing.iter().any(|row| row.is_for(rekor))
    }
}

impl Local {
    /// Looks at the machine for the plans.
    pub(crate) fn facts(&self) -> Result<Facts> {
        let mut facts = Facts {
            missing: self.build.missing(),
            archives: self.build.archives()?,
            trusted: self.trust_file("trusted_root.json").exists(),
            ..Facts::default()
        };
        for server in &self.manifest.servers {
            let name = &server.name;
            if !process::was_started(&self.dir, name) {
                continue;
            }
            facts.started.insert(name.clone());
            if process::running(&self.dir, name)?.is_some() {
                facts.running.insert(name.clone());
            }
        }
        Ok(facts)
    }
}
