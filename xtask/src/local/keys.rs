//! The keys of the servers: which there are, how they are made, and that none is gone.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Local;
use super::manifest::{KeyRecipe, KeyRow, ServerRow};
use super::settings::CountedKey;
use crate::fail::broken;
use crate::plan::Command;
use crate::state;
use crate::words;

/// A key: a private part, and a public one beside it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyFile {
    /// How it is made.
    pub kind: KeyRecipe,
    /// Its file without the ending, below the target's directory: `keys/fulcio-1`.
    pub stem: String,
}

impl KeyFile {
    /// The file of its public part, which is written last.
    pub(crate) fn public(&self) -> String {
        format!("{}.{}", self.stem, self.kind.ending())
    }
}

impl Local {
    /// The key that a server uses, where it has one of its own.
    pub(crate) fn key(&self, server: &ServerRow) -> Result<Option<KeyFile>> {
        let key = server.key.as_ref();
        key.map(|row| self.key_in_use(row)).transpose()
    }

    /// The keys that a server has used, the one in use last.
    pub(crate) fn keys(&self, row: &KeyRow) -> Result<Vec<KeyFile>> {
        let numbers = 1..=self.settings.newest(row.name);
        let key = |number| self.as_of(row.name, number).key_in_use(row);
        numbers.map(key).collect()
    }

    /// The target as it was when a key had this number: its files are those of that key.
    pub(super) fn as_of(&self, key: CountedKey, number: usize) -> Local {
        Local {
            settings: self.settings.as_of(key, number),
            ..self.clone()
        }
    }

    fn key_in_use(&self, row: &KeyRow) -> Result<KeyFile> {
        Ok(KeyFile {
            kind: row.kind,
            stem: self.filled(&row.file)?,
        })
    }

    /// The keys that the servers which run need before they start.
    pub(crate) fn keys_in_use(&self) -> Result<Vec<KeyFile>> {
        let mut keys = Vec::new();
        for server in self.manifest.chosen(self.settings.rekor) {
            keys.extend(self.key(server)?);
        }
        keys.sort();
        Ok(keys)
    }

    /// The file that holds the users of Dex.
    pub(crate) fn users_file(&self) -> Result<String> {
        let mut rows = self
            .manifest
            .servers
            .iter()
            .filter_map(|row| row.key.as_ref());
        let users = rows.find(|row| row.kind == KeyRecipe::Users);
        Ok(self
            .key_in_use(users.context("servers.yml names no users")?)?
            .public())
    }

    /// Checks that no key is missing on which something depends: with a new key in its
    /// place, nobody could verify what the old one signed.
    pub(crate) fn check_keys(&self) -> Result<()> {
        for server in &self.manifest.servers {
            let Some(row) = &server.key else { continue };
            let Some(signed) = self.signed_by(server, row.kind)? else {
                continue;
            };
            let mut keys = self.keys(row)?.into_iter();
            if let Some(gone) = keys.find(|key| !self.dir.join(key.public()).exists()) {
                let gone = gone.public();
                return Err(broken(format!(
                    "{gone} is gone, and there are {signed} that it signed"
                ))
                .hint("put it and the private key beside it back from a copy")
                .hint("or start over: cargo xtask uninstall --yes --keep-tools")
                .into());
            }
        }
        Ok(())
    }

    /// The directory that a server keeps its log in.
    pub(super) fn data(&self, server: &ServerRow) -> Result<Option<PathBuf>> {
        let data = server.data.as_deref().map(|data| self.filled(data));
        Ok(data.transpose()?.map(|data| self.dir.join(data)))
    }

    /// What a key has signed that others may still hold; `None` where there is nothing.
    fn signed_by(&self, server: &ServerRow, kind: KeyRecipe) -> Result<Option<&'static str>> {
        let log = self.data(server)?;
        let begins = ["checkpoint", "journal"];
        let began = log.is_some_and(|log| begins.iter().any(|file| log.join(file).exists()));
        Ok(match kind {
            KeyRecipe::Ca => self.installed.then_some("certificates"),
            KeyRecipe::Timestamp => self.installed.then_some("timestamps"),
            KeyRecipe::Ed25519 | KeyRecipe::Ecdsa => began.then_some("checkpoints"),
            KeyRecipe::Ctlog => began.then_some("promises"),
            KeyRecipe::Tls | KeyRecipe::Users => None,
        })
    }

    /// The certificates of the keys that a server has had, concatenated: of all whose
    /// signatures count for good, and of those in use.
    pub(super) fn all_certificates(&self, row: &KeyRow) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        let periods = self.settings.periods(row.name);
        for (key, period) in self.keys(row)?.iter().zip(periods) {
            if row.kind == KeyRecipe::Tls && period.until.is_some() {
                continue;
            }
            let name = key.public();
            let pem = state::read(&self.dir.join(&name))?;
            all.extend(
                pem.ok_or_else(|| {
                    broken(format!("{name} is missing")).hint("cargo xtask install")
                })?,
            );
        }
        Ok(all)
    }

    /// The command that makes the keys that are missing; a CA below the root in a
    /// directory, where one is named.
    pub(crate) fn make_keys_command(&self, keys: &[KeyFile], offline: Option<&Path>) -> Command {
        let mut words = words![self.build.program("loopback"), "make"];
        if let Some(dir) = offline {
            words.extend(words!["--offline-root", dir]);
        }
        for key in keys {
            words.extend(words![key.kind.name(), &key.stem]);
        }
        Command::new(words).dir(&self.dir)
    }
}
