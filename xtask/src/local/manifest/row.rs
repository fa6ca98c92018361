//! The row of one server in `servers.yml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{KeyRecipe, LogApi, TrustRole};
use crate::entry::{Version, Versions};
use crate::local::settings::CountedKey;

/// One server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerRow {
    /// The word that commands take: `fulcio`.
    pub name: String,
    /// What it is, for a person.
    pub title: String,
    /// The Go module whose version it has.
    pub module: String,
    /// Program and arguments, separated by spaces, with placeholders.
    pub command: String,
    /// The address that answers once it is ready: `http://…` or `tcp://…`.
    pub ready: String,
    /// The name of its main port.
    pub port: String,
    /// The names of its further ports.
    #[serde(default)]
    pub also: Vec<String>,
    /// What must be ready before it starts.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Set where it runs only with this version of the log.
    pub rekor: Option<Version>,
    /// Environment variables.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Its key, where it has one of its own.
    pub key: Option<KeyRow>,
    /// Its configuration, where that depends on settings and users only.
    pub config: Option<String>,
    /// Further files whose change asks for a restart, with placeholders.
    #[serde(default)]
    pub uses: Vec<String>,
    /// A directory that must be there, with placeholders.
    pub data: Option<String>,
    /// The address at which clients reach it.
    pub url: Option<String>,
    /// The address at which its log is read, where that is another.
    pub read_at: Option<String>,
    /// The address at which each shard of its log is read, the ended ones too.
    pub shards_at: Option<String>,
    /// The name of that address in `cargo xtask env`.
    pub variable: Option<String>,
    /// What it is in the trusted root and in the signing config.
    pub trusts_as: Option<TrustRole>,
    /// The name in the checkpoints of a log, where the address does not tell it.
    pub origin: Option<String>,
    /// The API with which the size of its log is read.
    pub log: Option<LogApi>,
    /// The chapter that has a reader start it, and whose reset stops it.
    pub chapter: Option<String>,
}

/// The key of a server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRow {
    /// What its number is called.
    pub name: CountedKey,
    /// How it is made.
    pub kind: KeyRecipe,
    /// Its file without the ending, with placeholders.
    pub file: String,
    /// A file with the certificates of every such key there ever was.
    pub all: Option<String>,
}

impl ServerRow {
    /// Whether it runs with these versions of the log.
    pub fn runs_with(&self, rekor: Versions) -> bool {
        self.rekor.is_none_or(|version| rekor.has(version))
    }
}
