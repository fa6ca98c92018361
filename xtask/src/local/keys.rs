//! The keys of the servers: which there are, how they are made, and that none is gone.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::Local;
use super::manifest::{KeyRecipe, KeyRow, ServerRow, fill};
use super::settings::{Period, Settings};
use crate::fail::broken;
use crate::plan::Command;
use crate::state;

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

impl Settings {
    /// The periods of the keys with this file name, where they are counted: the name holds
    /// a placeholder for the number.
    pub(crate) fn periods(&self, file: &str) -> Option<&[Period]> {
        let counted = self.counted().into_iter();
        let mut named = counted.filter(|(name, _)| file.contains(&format!("{{{{{name}}}}}")));
        named.next().map(|(_, periods)| periods)
    }
}

impl Local {
    /// The key that a server uses, where it has one of its own.
    pub(crate) fn key(&self, server: &ServerRow) -> Result<Option<KeyFile>> {
        let key = server.key.as_ref();
        key.map(|row| self.key_number(row, None)).transpose()
    }

    /// The keys that a server has used, the one in use last.
    pub(crate) fn keys(&self, row: &KeyRow) -> Result<Vec<KeyFile>> {
        match self.settings.periods(&row.file) {
            None => Ok(vec![self.key_number(row, None)?]),
            Some(periods) => (1..=periods.len())
                .map(|number| self.key_number(row, Some(number)))
                .collect(),
        }
    }

    /// The key of this number; the one in use where none is named.
    fn key_number(&self, row: &KeyRow, number: Option<usize>) -> Result<KeyFile> {
        let mut variables = self.variables()?;
        if let Some(number) = number {
            for (name, _) in self.settings.counted() {
                variables.insert(name.to_owned(), number.to_string());
            }
        }
        Ok(KeyFile {
            kind: row.kind,
            stem: fill(&row.file, &variables)?,
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
            .key_number(users.context("servers.yml names no users")?, None)?
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

    /// The certificates of all keys that a server ever had, concatenated.
    pub(super) fn all_certificates(&self, row: &KeyRow) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        for key in self.keys(row)? {
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

    /// The command that makes the keys that are missing.
    pub(crate) fn make_keys_command(&self, keys: &[KeyFile]) -> Command {
        let names = keys
            .iter()
            .flat_map(|key| [key.kind.name().into(), key.stem.as_str().into()]);
        let words = [self.build.program("loopback").into(), "make".into()]
            .into_iter()
            .chain(names)
            .collect();
        Command::new(words).dir(&self.dir)
    }
}
