//! A Sigstore bundle: a signature and all that a verifier needs beside a trusted root
//! (protobuf-specs, `sigstore_bundle.proto`, as JSON; media types
//! `…bundle+json;version=0.1` to `…bundle.v0.3+json`).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::certificate::Leaf;
use crate::encoding::hex;
use crate::fail::{Fail, broken};
use crate::proof::encoded::{Base64, Number, Strict, strict_json};
use crate::proof::key::Hashing;
use crate::proof::merkle::{self, Hash};
use crate::proof::trusted_root::{LogId, RawCertificate};
use crate::rekor::{Entry, InclusionProof, Version};

/// The largest bundle that is read; an attestation in it may be long.
pub const LARGEST: u64 = 16 * 1024 * 1024;

/// The media type of a statement (in-toto).
const STATEMENT: &str = "application/vnd.in-toto+json";

/// A bundle.
pub struct Bundle {
    /// What was signed, and the signature.
    pub content: Content,
    /// The leaf certificate; none where a key signed.
    leaf: Option<Leaf>,
    /// The log entry, where it holds one.
    pub entry: Option<Entry>,
    /// Timestamps of timestamp authorities, DER.
    pub timestamps: Vec<Vec<u8>>,
    /// Whether it is of a time when a log's promise stood for its proof: of version
    /// 0.1, or older.
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    verification_material: Material,
    message_signature: Option<MessageSignature>,
    dsse_envelope: Option<Envelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    certificate: Option<RawCertificate>,
    x509_certificate_chain: Option<RawChain>,
    public_key: Option<Strict>,
    #[serde(default)]
    tlog_entries: Vec<RawEntry>,
    #[serde(default)]
    timestamp_verification_data: Timestamps,
}

#[derive(Deserialize)]
struct RawChain {
    certificates: Vec<RawCertificate>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Timestamps {
    #[serde(default)]
    rfc3161_timestamps: Vec<RawTimestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTimestamp {
    signed_timestamp: Base64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEntry {
    #[serde(default)]
    log_index: Number,
    log_id: LogId,
    #[serde(default)]
    integrated_time: Number,
    inclusion_promise: Option<RawPromise>,
    inclusion_proof: Option<RawProof>,
    canonicalized_body: Base64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPromise {
    signed_entry_timestamp: Base64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawProof {
    #[serde(default)]
    log_index: Number,
    root_hash: Base64,
    #[serde(default)]
    tree_size: Number,
    #[serde(default)]
    hashes: Vec<Base64>,
    checkpoint: Option<RawCheckpoint>,
}

#[derive(Deserialize)]
struct RawCheckpoint {
    envelope: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageSignature {
    message_digest: MessageDigest,
    signature: Base64,
}

#[derive(Deserialize)]
struct MessageDigest {
    algorithm: String,
    digest: Base64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: Base64,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Deserialize)]
struct EnvelopeSignature {
    sig: Base64,
}

/// Reads a bundle.
///
/// # Errors
/// Where it is none, or is one that says two things at once.
pub fn read(text: &[u8]) -> Result<Bundle, Fail> {
    let bad = |what: &str| broken(format!("that is no bundle this program reads: {what}"));
    // The media type first: of a text that is no bundle it is what is missing.
    let value = strict_json(text).map_err(|error| broken(format!("that is no bundle: {error}")))?;
    let kind = value["mediaType"].as_str().unwrap_or_default();
    if !kind.starts_with("application/vnd.dev.sigstore.bundle") {
        return Err(broken(
            "that is no Sigstore bundle: its mediaType says otherwise",
        ));
    }
    let promise_suffices = kind.ends_with("version=0.1");
    let raw = Raw::deserialize(value).map_err(|error| bad(&error.to_string()))?;
    let material = raw.verification_material;
    let leaf = match (
        material.certificate,
        material.x509_certificate_chain,
        material.public_key,
    ) {
        (Some(certificate), None, None) => Some(certificate),
        (None, Some(chain), None) => Some(
            chain
                .certificates
                .into_iter()
                .next()
                .ok_or_else(|| bad("its chain of certificates is empty"))?,
        ),
        (None, None, _) => None,
        _ => return Err(bad("it names more than one signer")),
    };
    let content = match (raw.message_signature, raw.dsse_envelope) {
        (Some(message), None) => Content::Message {
            hashing: Hashing::named(&message.message_digest.algorithm)
                .ok_or_else(|| bad("its message is hashed with an unknown algorithm"))?,
            digest: message.message_digest.digest.0,
            signature: message.signature.0,
        },
        (None, Some(envelope)) => {
            let [signature] = envelope.signatures.as_slice() else {
                return Err(bad("its envelope has not one signature"));
            };
            Content::Envelope {
                payload_type: envelope.payload_type,
                payload: envelope.payload.0,
                signature: signature.sig.0.clone(),
            }
        }
        _ => return Err(bad("it holds not one signature")),
    };
    let mut entries = material.tlog_entries.into_iter();
    let entry = entries.next().map(RawEntry::entry).transpose()?;
    if entries.next().is_some() {
        return Err(bad("it holds more than one log entry"));
    }
    let timestamps = material.timestamp_verification_data.rfc3161_timestamps;
    Ok(Bundle {
        content,
        leaf: leaf
            .map(|leaf| Leaf::from_der(&leaf.raw_bytes.0))
            .transpose()
            .map_err(|error| Fail::from_error(&error))?,
        entry,
        timestamps: timestamps
            .into_iter()
            .map(|timestamp| timestamp.signed_timestamp.0)
            .collect(),
        promise_suffices,
    })
}

impl RawEntry {
    fn entry(self) -> Result<Entry, Fail> {
        let bad = |what: &str| broken(format!("the log entry in the bundle: {what}"));
        let hash = |bytes: Base64| -> Result<Hash, Fail> {
            bytes
                .0
                .try_into()
                .map_err(|_| bad("a hash has not 32 bytes"))
        };
        let proof = self
            .inclusion_proof
            .map(|proof| {
                if proof.hashes.len() > merkle::LONGEST {
                    return Err(bad("no tree is as deep as its proof is long"));
                }
                Ok(InclusionProof {
                    index: proof.log_index.0,
                    size: proof.tree_size.0,
                    root: hash(proof.root_hash)?,
                    hashes: proof
                        .hashes
                        .into_iter()
                        .map(hash)
                        .collect::<Result<_, _>>()?,
                    checkpoint: proof.checkpoint.map(|checkpoint| checkpoint.envelope),
                })
            })
            .transpose()?;
        let canonical = self.canonicalized_body.0;
        let body = strict_json(&canonical).map_err(|error| bad(&error.to_string()))?;
        let promise = self.inclusion_promise;
        // Of the two only v1 knows a time and makes promises.
        let integrated = Some(self.integrated_time.0).filter(|time| *time != 0);
        let rekor = if integrated.is_some() || promise.is_some() {
            Version::V1
        } else {
            Version::V2
        };
        Ok(Entry {
            rekor,
            index: self.log_index.0,
            uuid: None,
            integrated,
            log_id: Some(self.log_id.key_id.0),
            raw: body.clone(),
            body,
            canonical,
            promise: promise.map(|promise| promise.signed_entry_timestamp.0),
            proof,
        })
    }
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

    /// The digests that it names as those of what was signed: `sha256:…`. A message
    /// has one, a statement one a subject (in-toto), simple signing that of an image.
    pub fn subjects(&self) -> Vec<String> {
        let digests = match self {
            Content::Message {
                hashing, digest, ..
            } => return vec![format!("{}:{}", hashing.name(), hex(digest))],
            Content::Envelope { payload_type, .. } if payload_type != STATEMENT => None,
            Content::Envelope { payload, .. } => strict_json(payload).ok().map(|statement| {
                let subjects = statement["subject"].as_array().cloned().unwrap_or_default();
                let digest = |subject: &Value| {
                    subject["digest"]["sha256"]
                        .as_str()
                        .map(|hex| format!("sha256:{hex}"))
                };
                subjects.iter().filter_map(digest).collect()
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
    /// One put together from the parts that an image carried before there were
    /// bundles.
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
            timestamps,
            promise_suffices: true,
        }
    }

    /// The leaf certificate: alone since v0.3, the first of a chain before; `None`
    /// where a key signed.
    pub fn certificate(&self) -> Option<&Leaf> {
        self.leaf.as_ref()
    }

    /// The leaf certificate.
    ///
    /// # Errors
    /// Where there is none, as in a bundle signed with a key.
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

    /// The index of its log entry.
    ///
    /// # Errors
    /// Where it has no log entry.
    pub fn log_index(&self) -> Result<u64, Fail> {
        let entry = self.entry.as_ref();
        entry
            .map(|entry| entry.index)
            .ok_or_else(|| broken("the bundle holds no log entry"))
    }
}

/// The digest of a file or a text, as artifacts are named: `sha256:…`.
pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}
