//! A program that is built from `deploy/local/go.mod`.

use serde::Deserialize;

use crate::entry::{Version, Versions};

/// A program, and the Go package that it is built from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramRow {
    /// Its name here.
    pub name: String,
    /// The import path, or `./…` below `deploy/local`.
    pub package: String,
    /// Set where only this version of the log needs it.
    pub rekor: Option<Version>,
}

impl ProgramRow {
    /// Whether an installation with these versions of the log needs it.
    pub fn is_for(&self, rekor: Versions) -> bool {
        self.rekor.is_none_or(|version| rekor.has(version))
    }

    /// The name that Go gives it.
    pub(crate) fn own_name(&self) -> &str {
        self.package.rsplit('/').next().unwrap_or(&self.package)
    }

    /// Whether Go would give it another name, which may be that of another program.
    pub(crate) fn is_renamed(&self) -> bool {
        self.own_name() != self.name
    }
}
