//! The files of a lab: what is signed, and what a forger makes of JSON.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Session;
use crate::fail::broken;
use crate::labs::edit;
use crate::state;

impl Session<'_> {
    /// A file of the lab.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Signs a file with this text as Alice, and returns it with its bundle.
    pub(crate) fn signed_file(&self, name: &str, text: &str) -> Result<(String, PathBuf)> {
        let file = self.file(name);
        std::fs::write(&file, format!("{text}\n"))?;
        let bundle = self.file(&format!("{name}.sigstore.json"));
        let file = file.to_string_lossy().into_owned();
        self.expect_ok(&["sign", "--blob", &file])?;
        Ok((file, bundle))
    }

    /// Reads a file of JSON.
    pub(crate) fn read(&self, file: &Path) -> Result<Value> {
        let text = state::read(file)?.with_context(|| format!("there is no {}", file.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("read {}", file.display()))
    }

    /// Writes what a forger makes of a file of JSON beside it, and says what that is.
    /// Where nothing was changed there would be nothing to catch.
    pub(crate) fn edit(
        &self,
        from: &Path,
        name: &str,
        what: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<PathBuf> {
        let before = self.read(from)?;
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            return Err(broken(format!("the forger changed nothing: {what}")).into());
        }
        let file = self.file(name);
        state::write_json(&file, &after)?;
        self.say(&format!("\n# the forger: {what}: {}", file.display()));
        for line in edit::changes(&before, &after) {
            self.say(&format!("#   {line}"));
        }
        Ok(file)
    }
}
