//! A Sigstore bundle: a signature and all that a verifier needs beside a trusted root
//! (protobuf-specs, `sigstore_bundle.proto`, as JSON; media types
//! `…bundle+json;version=0.1` to `…bundle.v0.3+json`).

mod cosign_entry;
mod others;
mod raw_entry;
mod read;

pub(crate) use cosign_entry::cosign_entry;
pub use others::read_all;
pub use read::read;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::entry::Entry;
use crate::fail::{Fail, broken};
use crate::format::certificate::Leaf;
use crate::format::hashing::sha256_hash;
use crate::format::hex::hex;
use crate::format::key::Hashing;
use crate::format::protojson::strict_json;

/// The largest bundle that is read; an attestation in it may be long.
pub(crate) const LARGEST: u64 = 16 * 1024 * 1024;

/// The media type of a statement (in-toto).
const STATEMENT: &str = "application/vnd.in-toto+json";

/// What cosign states of an image that it signs: nothing but that it was signed.
pub(crate) const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";

/// A bundle.
#[derive(Clone)]
pub struct Bundle {
    /// What was signed, and the signature.
    pub content: Content,
    /// The leaf certificate; none where a key signed.
    leaf: Option<Leaf>,
    /// The log entry, where it holds one: the first, where it holds several.
    pub entry: Option<Entry>,
    /// The others.
    pub(crate) further_entries: Vec<Entry>,
    /// Timestamps of timestamp authorities, DER.
    pub timestamps: Vec<Vec<u8>>,
    /// The envelope as a whole, of which the timestamps may be as well as of the signature.
    pub(crate) envelope: Option<Vec<u8>>,
    /// Whether its format is so old (0.1 or older) that the log's promise stands in for a
    /// proof of inclusion.
    pub promise_suffices: bool,
}

/// What was signed, and the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A message of which the bundle has the digest.
    Message {
        /// How it was hashed.
        hashing: Hashing,
        /// The hash.
        digest: Vec<u8>,
        /// The signature of the message.
        signature: Vec<u8>,
    },
    /// A DSSE envelope around a statement.
    Envelope {
        /// The media type of the payload.
        payload_type: String,
        /// The statement.
        payload: Vec<u8>,
        /// The signature of both (see [`Content::message`]).
        signature: Vec<u8>,
    },
    /// The payload of simple signing, as images carried it before there were bundles.
    Simple {
        /// JSON that names the digest of the image.
        payload: Vec<u8>,
        /// Its signature.
        signature: Vec<u8>,
    },
}

impl Content {
    /// The signature.
    pub fn signature(&self) -> &[u8] {
        match self {
            Content::Message { signature, .. }
            | Content::Envelope { signature, .. }
            | Content::Simple { signature, .. } => signature,
        }
    }

    /// The message that was signed, where it is known: of an envelope its
    /// pre-authentication encoding (DSSE, `PAE`).
    pub fn message(&self) -> Option<Vec<u8>> {
        match self {
            Content::Message { .. } => None,
            Content::Simple { payload, .. } => Some(payload.clone()),
            Content::Envelope {
                payload_type,
                payload,
                ..
            } => {
                let lengths = (payload_type.len(), payload.len());
                let head = format!("DSSEv1 {} {payload_type} {} ", lengths.0, lengths.1);
                Some([head.as_bytes(), payload].concat())
            }
        }
    }

    /// The `predicateType` of the statement (in-toto); `None` where the content is not a
    /// statement.
    pub fn predicate_type(&self) -> Option<String> {
        match self {
            Content::Envelope {
                payload_type,
                payload,
                ..
            } if payload_type == STATEMENT => {
                let statement = strict_json(payload).ok()?;
                statement["predicateType"].as_str().map(str::to_owned)
            }
            _ => None,
        }
    }

    /// Whether it states something else than that something was signed.
    pub fn is_attestation(&self) -> bool {
        let statement = matches!(self, Content::Envelope { .. });
        statement && self.predicate_type().as_deref() != Some(SIGNED)
    }

    /// Whether it is a signature, where no predicate type is given, or else states
    /// something of that type.
    pub(crate) fn states(&self, predicate_type: Option<&str>) -> bool {
        match predicate_type {
            None => !self.is_attestation(),
            wanted => self.predicate_type().as_deref() == wanted,
        }
    }

    /// The algorithms of the digests that it names.
    pub(crate) fn hashings(&self) -> Vec<Hashing> {
        let named = self.subjects();
        let names = |hashing: &Hashing| {
            let mut digests = named.iter().filter_map(|digest| digest.split_once(':'));
            digests.any(|(name, _)| name == hashing.name())
        };
        Hashing::ALL.into_iter().filter(names).collect()
    }

    /// The digests that it names as those of what was signed: `sha256:…`, `sha512:…`. A message
    /// has one, a statement one a subject (in-toto), simple signing that of an image.
    pub fn subjects(&self) -> Vec<String> {
        let digests = match self {
            Content::Message {
                hashing, digest, ..
            } => return vec![format!("{}:{}", hashing.name(), hex(digest))],
            Content::Envelope { payload_type, .. } if payload_type != STATEMENT => None,
            Content::Envelope { payload, .. } => strict_json(payload).ok().map(|statement| {
                let subjects = statement["subject"].as_array().cloned().unwrap_or_default();
                let digests = |subject: &Value| {
                    let of = |hashing: Hashing| {
                        let hex = subject["digest"][hashing.name()].as_str()?;
                        Some(format!("{}:{hex}", hashing.name()))
                    };
                    Hashing::ALL
                        .map(of)
                        .into_iter()
                        .flatten()
                        .collect::<Vec<_>>()
                };
                subjects.iter().flat_map(digests).collect()
            }),
            Content::Simple { payload, .. } => strict_json(payload).ok().map(|payload| {
                let digest = &payload["critical"]["image"]["docker-manifest-digest"];
                digest.as_str().map(str::to_owned).into_iter().collect()
            }),
        };
        digests.unwrap_or_default()
    }
}

impl Bundle {
    /// Makes one from the parts that an image carried before there were bundles.
    pub fn of(
        content: Content,
        leaf: Option<Leaf>,
        entry: Option<Entry>,
        timestamps: Vec<Vec<u8>>,
    ) -> Bundle {
        Bundle {
            content,
            leaf,
            entry,
            further_entries: Vec::new(),
            timestamps,
            envelope: None,
            promise_suffices: true,
        }
    }

    /// The leaf certificate: alone since v0.3, the first of a chain before; `None`
    /// where a key signed.
    pub fn certificate(&self) -> Option<&Leaf> {
        self.leaf.as_ref()
    }

    /// The leaf certificate.
    pub fn leaf(&self) -> Result<&Leaf, Fail> {
        self.leaf.as_ref().ok_or_else(|| {
            broken("the bundle holds no certificate: it was signed with a key, not an identity")
        })
    }

    /// The digest that the statement in it names (in-toto, `subject`): `sha256:…`;
    /// `None` where it holds none, as one of a bare signature.
    pub fn subject_digest(&self) -> Option<String> {
        match &self.content {
            Content::Envelope { .. } => self.content.subjects().into_iter().next(),
            _ => None,
        }
    }

    /// The id of the log that holds its entry, base64: the hash of the log's key.
    pub fn log_id(&self) -> Option<String> {
        let id = self.entry.as_ref()?.log_id.as_ref()?;
        Some(BASE64_STANDARD.encode(id))
    }

    /// The name of the log under the checkpoint of its entry (C2SP tlog-checkpoint): that
    /// of Rekor v1 ends in the id of its tree.
    pub(crate) fn origin(&self) -> Option<&str> {
        let proof = self.entry.as_ref()?.proof.as_ref()?;
        proof.checkpoint.as_ref()?.lines().next()
    }

    /// The index of its log entry.
    pub fn log_index(&self) -> Result<u64, Fail> {
        let entry = self.entry.as_ref();
        entry
            .map(|entry| entry.index)
            .ok_or_else(|| broken("the bundle holds no log entry"))
    }
}

/// The digest of a file or a text, as artifacts are named: `sha256:…`.
pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&sha256_hash(&[bytes])))
}
