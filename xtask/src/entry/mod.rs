//! A log entry of either Rekor, nothing of which has been checked, and which Rekor it is.

pub mod body;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fail::broken;
use crate::format::certificate::Leaf;
use crate::tlog::merkle::Hash;
use body::{EntryBody, Verifier};

/// A version of Rekor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Version {
    /// An API in front of Trillian.
    V1,
    /// Tiles.
    V2,
}

impl Version {
    /// As it is typed: `v1`.
    pub fn name(self) -> &'static str {
        match self {
            Version::V1 => "v1",
            Version::V2 => "v2",
        }
    }
}

/// Which versions of Rekor run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Versions {
    /// An API in front of Trillian.
    V1,
    /// Tiles.
    V2,
    /// Both, beside each other.
    Both,
}

impl Versions {
    /// Whether this version runs.
    pub fn has(self, version: Version) -> bool {
        matches!(
            (self, version),
            (Versions::Both, _) | (Versions::V1, Version::V1) | (Versions::V2, Version::V2)
        )
    }

    /// The version that signs when none is asked for: the newer one.
    pub fn newest(self) -> Version {
        if self == Versions::V1 {
            Version::V1
        } else {
            Version::V2
        }
    }

    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Versions::V1 => "v1",
            Versions::V2 => "v2",
            Versions::Both => "both",
        }
    }
}

/// A log entry, nothing of which has been checked.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The Rekor that holds it.
    pub rekor: Version,
    /// Its index in that log; for v1 in all of its shards.
    pub index: u64,
    /// Rekor v1's id of it.
    pub uuid: Option<String>,
    /// When v1 took it in, in seconds since 1970; v2 leaves time to the
    /// timestamp in the bundle.
    pub integrated: Option<u64>,
    /// The id of the log, where the entry names it.
    pub log_id: Option<Vec<u8>>,
    /// What the log committed to, to the byte: its leaf.
    pub canonicalized_body: Vec<u8>,
    /// The canonicalized body, parsed.
    pub body: Value,
    /// Rekor v1's signed promise to include it.
    pub promise: Option<Vec<u8>>,
    /// The proof that it is included.
    pub proof: Option<InclusionProof>,
    /// Everything the server said of it.
    pub raw: Value,
}

/// A proof that an entry is in a log, nothing of which has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The index of the entry in the tree; with several shards another than in the
    /// log.
    pub index: u64,
    /// How many entries the tree holds.
    pub size: u64,
    /// The root of the tree.
    pub root: Hash,
    /// The siblings of the nodes from the leaf to the root.
    pub hashes: Vec<Hash>,
    /// The log's signed word on size and root.
    pub checkpoint: Option<String>,
}

impl Entry {
    /// Kind and version: `hashedrekord 0.0.2`.
    pub fn kind(&self) -> String {
        Entry::kind_of(&self.body)
    }

    /// The same of a body.
    pub(crate) fn kind_of(body: &Value) -> String {
        let field = |name: &str| body[name].as_str().unwrap_or("unknown").to_owned();
        format!("{} {}", field("kind"), field("apiVersion"))
    }

    /// What it records, where its kind is known.
    ///
    /// # Errors
    /// Where its kind is known, but not what is in it.
    pub fn recorded(&self) -> Result<Option<EntryBody>, String> {
        body::recorded(&self.body)
    }

    /// The certificate in it, where its kind is known and it holds one.
    ///
    /// # Errors
    /// Where it holds one that cannot be read.
    pub fn leaf(&self) -> Result<Option<Leaf>> {
        match self.recorded().map_err(broken)? {
            Some(EntryBody {
                verifier: Verifier::Certificate(der),
                ..
            }) => Ok(Some(Leaf::from_der(&der)?)),
            _ => Ok(None),
        }
    }
}
