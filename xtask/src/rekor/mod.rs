//! Log entries of either Rekor, behind one [`Entry`].
//!
//! v1 (OpenAPI of sigstore/rekor) is asked for an entry; v2 (C2SP tlog-tiles) is
//! a set of files of which two hold what is needed: the checkpoint and an entry
//! bundle.

mod body;
mod v1;
mod v2;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::certificate::{Leaf, printable};
use crate::http::Server;
use crate::time;

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

/// Which entry is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// By its index in the log.
    Index(u64),
    /// By the id that Rekor v1 gave it.
    Uuid(String),
}

/// A log entry.
pub struct Entry {
    /// The Rekor that holds it.
    pub rekor: Version,
    /// Its index in that log.
    pub index: u64,
    /// Rekor v1's id of it.
    pub uuid: Option<String>,
    /// When v1 took it in, in seconds since 1970; v2 leaves time to the
    /// timestamp in the bundle.
    pub integrated: Option<u64>,
    /// What the log committed to, as the log holds it.
    pub body: Value,
    /// Everything the server said of it.
    pub raw: Value,
}

/// Fetches an entry.
///
/// # Errors
/// Exit status 1 where the log has no such entry, 2 where it does not answer or
/// answers with something else.
pub fn fetch(version: Version, server: &Server, which: &Which) -> Result<Entry> {
    match (version, which) {
        (Version::V1, which) => v1::fetch(server, which),
        (Version::V2, Which::Index(index)) => v2::fetch(server, *index),
        (Version::V2, Which::Uuid(_)) => {
            Err(crate::fail::broken("entries of Rekor v2 have no UUID")
                .hint("use --log-index N, or --rekor v1")
                .into())
        }
    }
}

/// How many entries a log holds.
///
/// # Errors
/// Where it does not answer or answers with something else.
pub fn size(version: Version, server: &Server) -> Result<u64> {
    match version {
        Version::V1 => v1::size(server),
        Version::V2 => v2::size(server),
    }
}

impl Entry {
    /// Kind and version: `hashedrekord 0.0.2`.
    pub fn kind(&self) -> String {
        let field = |name: &str| self.body[name].as_str().unwrap_or("unknown").to_owned();
        format!("{} {}", field("kind"), field("apiVersion"))
    }

    /// The digest of what was signed: algorithm and hexadecimal value. For a
    /// `dsse` it is that of the payload, the statement that names the artifact.
    pub fn digest(&self) -> Option<String> {
        body::digest(&self.body)
    }

    /// The certificate in it, where its kind is known and it holds one.
    ///
    /// # Errors
    /// Where it holds one that cannot be read.
    pub fn leaf(&self) -> Result<Option<Leaf>> {
        body::certificate(&self.body)?
            .map(|der| Leaf::from_der(&der))
            .transpose()
    }

    /// All of it for a script. Times are RFC 3339.
    ///
    /// # Errors
    /// Where its certificate cannot be read.
    pub fn json(&self) -> Result<Value> {
        let leaf = self.leaf()?;
        Ok(json!({
            "rekor": self.rekor,
            "log_index": self.index,
            "uuid": self.uuid,
            "kind": self.kind(),
            "digest": self.digest(),
            "integrated_time": self.integrated.and_then(time::from_unix),
            "identity": leaf.as_ref().and_then(|leaf| leaf.identities().first().cloned()),
            "issuer": leaf.as_ref().and_then(Leaf::issuer_claim),
        }))
    }

    /// All of it for a person.
    ///
    /// # Errors
    /// Where its certificate cannot be read.
    pub fn lines(&self) -> Result<Vec<String>> {
        let leaf = self.leaf()?;
        let identity = leaf
            .as_ref()
            .and_then(|leaf| leaf.identities().first().cloned());
        let issuer = leaf.as_ref().and_then(Leaf::issuer_claim);
        let shown = |value: Option<String>, otherwise: &str| {
            printable(&value.unwrap_or_else(|| otherwise.to_owned()))
        };
        let log = if self.rekor == Version::V1 {
            "Rekor v1"
        } else {
            "Rekor v2"
        };
        let mut lines = vec![format!("log          {log}, index {}", self.index)];
        lines.extend(
            self.uuid
                .iter()
                .map(|uuid| format!("uuid         {}", printable(uuid))),
        );
        lines.push(format!("kind         {}", printable(&self.kind())));
        lines.push(format!(
            "digest       {}",
            shown(self.digest(), "not of a kind this reader knows")
        ));
        if self.digest().is_some() {
            lines.push(
                "             of what was signed; for an image that is a statement which names it"
                    .into(),
            );
        }
        lines.push(format!(
            "identity     {}",
            shown(identity, "no certificate")
        ));
        lines.push(format!("issuer       {}", shown(issuer, "no certificate")));
        let no_time = "not recorded: Rekor v2 leaves time to the timestamp in the bundle";
        lines.push(format!(
            "integrated   {}",
            shown(self.integrated.and_then(time::from_unix), no_time)
        ));
        Ok(lines)
    }
}
