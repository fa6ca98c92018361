//! Reading a trusted root: whose certificates and signatures count
//! (`TrustedRoot` of protobuf-specs, `sigstore_trustroot.proto`, as JSON).

use serde::Deserialize;
use x509_cert::Certificate;
use x509_cert::ext::pkix::BasicConstraints;

use crate::fail::{Fail, broken};
use crate::format::der;
use crate::format::hashing::sha256_hash;
use crate::format::key::{PublicKey, Unproved};
use crate::format::protojson::{Base64, Time, strict_json, without_nulls};
use crate::time;

/// A trusted root.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustedRoot {
    media_type: String,
    /// Transparency logs: Rekor's shards.
    #[serde(default)]
    pub tlogs: Vec<TransparencyLog>,
    /// Certificate authorities: Fulcio's.
    #[serde(default)]
    pub certificate_authorities: Vec<Authority>,
    /// Certificate transparency logs.
    #[serde(default)]
    pub ctlogs: Vec<TransparencyLog>,
    /// Timestamp authorities.
    #[serde(default)]
    pub timestamp_authorities: Vec<Authority>,
}

/// A log, and the key that it signs with.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransparencyLog {
    /// The address at which it is asked.
    #[serde(default)]
    pub base_url: String,
    public_key: Key,
    log_id: LogId,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    raw_bytes: Base64,
    #[serde(default)]
    valid_for: TimeRange,
}

/// The id of a log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogId {
    /// The SHA-256 of its key; of a log in tiles that of name and key (C2SP
    /// signed-note), of which 4 bytes count.
    pub key_id: Base64,
}

/// An authority, and its chain.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authority {
    /// The address at which it is asked.
    #[serde(default)]
    pub uri: String,
    cert_chain: AuthorityChain,
    /// When what it signed counts.
    #[serde(default)]
    pub valid_for: TimeRange,
}

#[derive(Debug, Clone, Deserialize)]
struct AuthorityChain {
    certificates: Vec<RawCertificate>,
}

/// A certificate.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawCertificate {
    /// DER.
    pub raw_bytes: Base64,
}

/// From when to when something counts, both included; without an end, until further
/// notice. Without a start, which the format requires, it never does.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct TimeRange {
    start: Option<Time>,
    end: Option<Time>,
}

impl TimeRange {
    /// When it begins, RFC 3339, where it does.
    pub(crate) fn since(&self) -> Option<String> {
        time::from_unix(self.start?.0)
    }

    /// When it ends, likewise.
    pub(crate) fn until(&self) -> Option<String> {
        time::from_unix(self.end?.0)
    }

    /// Whether a time, in seconds since 1970, is in it.
    pub fn holds(&self, time: u64) -> bool {
        self.start.is_some_and(|start| start.0 <= time) && self.end.is_none_or(|end| time <= end.0)
    }
}

impl TrustedRoot {
    /// Parses the text.
    pub fn read(text: &[u8]) -> Result<TrustedRoot, Fail> {
        let no_root =
            |error: serde_json::Error| broken(format!("that is no trusted root: {error}"));
        let mut value = strict_json(text).map_err(no_root)?;
        without_nulls(&mut value);
        let root = TrustedRoot::deserialize(value).map_err(no_root)?;
        if !root
            .media_type
            .starts_with("application/vnd.dev.sigstore.trustedroot")
        {
            return Err(broken(
                "that is no trusted root: its mediaType says otherwise",
            ));
        }
        Ok(root)
    }

    /// The transparency log with an id, or one that begins with these bytes:
    /// clients shorten the ids of logs in tiles to the four that count.
    pub fn tlog(&self, id: &[u8]) -> Option<&TransparencyLog> {
        self.tlogs.iter().find(|log| log.is(id))
    }

    /// The CT log with an id.
    pub fn ctlog(&self, id: &[u8]) -> Option<&TransparencyLog> {
        self.ctlogs.iter().find(|log| log.id() == id)
    }
}

impl TransparencyLog {
    /// Its id.
    pub fn id(&self) -> &[u8] {
        &self.log_id.key_id.0
    }

    fn is(&self, id: &[u8]) -> bool {
        self.id() == id || id.len() == 4 && self.id().starts_with(id)
    }

    /// When its key counts.
    pub fn valid_for(&self) -> &TimeRange {
        &self.public_key.valid_for
    }

    /// Its key.
    pub fn key(&self) -> Result<PublicKey, Unproved> {
        PublicKey::from_der(&self.public_key.raw_bytes.0)
            .map_err(|why| why.of("the key of the log in the trusted root"))
    }

    /// Whether a signature line of a checkpoint is this log's: its key hint is of the
    /// key (Rekor v1, and ECDSA in C2SP signed-note), or of the key and the name,
    /// which then is the log's (Ed25519 in C2SP signed-note and tlog-checkpoint).
    ///
    /// Nobody signs the name in the line, so it must be that in the origin, which is
    /// signed: all of it, or in Rekor v1 all before the id of the tree.
    pub fn signs(&self, origin: &str, name: &str, hint: &[u8; 4]) -> bool {
        if sha256_hash(&[&self.public_key.raw_bytes.0]).starts_with(hint) {
            let host = origin.rsplit_once(" - ").map(|(host, _)| host);
            return name == origin || host == Some(name);
        }
        let Ok(key) = self.key() else {
            return false;
        };
        let Some(point) = key.ed25519() else {
            return false;
        };
        let named = sha256_hash(&[name.as_bytes(), b"\n\x01", point]);
        name == origin && named.starts_with(hint) && self.id().starts_with(hint)
    }
}

impl TransparencyLog {
    /// Whether a signature line of a checkpoint is that of a tree head of this log, a CT
    /// log (C2SP static-ct-api: a hint of the name, of the kind of signature and of the
    /// id).
    pub fn signs_tree_head(&self, origin: &str, name: &str, hint: &[u8; 4]) -> bool {
        let named = sha256_hash(&[name.as_bytes(), b"\n\x05", self.id()]);
        name == origin && named.starts_with(hint)
    }
}

impl Authority {
    /// Its certificates, DER, the issuing one first and the root last.
    pub fn chain(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        let all = self.cert_chain.certificates.iter();
        all.map(|certificate| certificate.raw_bytes.0.as_slice())
    }

    /// The certificate of an authority that signs itself, DER; `None` where its chain
    /// begins with that of a CA, which leaves the signing to certificates below it.
    pub(crate) fn signer(&self) -> Option<&[u8]> {
        let first = self.first().ok()?;
        let constraints = der::extension::<BasicConstraints>(&first).ok()?;
        let is_ca = constraints.is_some_and(|constraints| constraints.ca);
        (!is_ca).then(|| self.chain().next()).flatten()
    }

    /// The certificate that issues, or that signs timestamps.
    pub fn first(&self) -> Result<Certificate, String> {
        let first = self.chain().next().ok_or("an authority without a chain")?;
        der::read(first).map_err(|error| format!("a certificate in the trusted root: {error}"))
    }
}
