//! Reading a bundle: protobuf's JSON, in which no key may occur twice.

use serde::Deserialize;
use serde_json::Value;
use x509_cert::Certificate;

use super::raw_entry::RawEntry;
use super::{Bundle, Content};
use crate::fail::{Fail, broken};
use crate::format::certificate::Leaf;
use crate::format::der;
use crate::format::key::Hashing;
use crate::format::protojson::{Base64, NoDuplicateKeys, strict_json, without_nulls};
use crate::trust::root::RawCertificate;

/// The media types of bundles (sigstore-go, sigstore-js and sigstore-python read these).
const MEDIA_TYPES: [&str; 4] = [
    V0_1,
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle.v0.3+json",
];

/// The oldest of them.
const V0_1: &str = "application/vnd.dev.sigstore.bundle+json;version=0.1";

/// No bundle has more log entries, or timestamps (sigstore-go has the same limit).
const MOST: usize = 32;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    verification_material: VerificationMaterial,
    message_signature: Option<MessageSignature>,
    dsse_envelope: Option<Envelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VerificationMaterial {
    certificate: Option<RawCertificate>,
    x509_certificate_chain: Option<RawChain>,
    public_key: Option<NoDuplicateKeys>,
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
pub fn read(text: &[u8]) -> Result<Bundle, Fail> {
    let value =
        strict_json(text).map_err(|error| broken(format!("that is not a bundle: {error}")))?;
    read_value(value)
}

/// The same from JSON in which no key occurs twice.
pub(super) fn read_value(mut value: Value) -> Result<Bundle, Fail> {
    without_nulls(&mut value);
    // The media type comes first: a text that is not a bundle lacks it.
    let kind = value["mediaType"].as_str().unwrap_or_default().to_owned();
    if !kind.starts_with("application/vnd.dev.sigstore.bundle") {
        return Err(broken(
            "that is no Sigstore bundle: its mediaType says otherwise",
        ));
    }
    if !MEDIA_TYPES.contains(&&*kind) {
        return Err(bad(&format!("its version is unknown: {kind:?}")));
    }
    let raw = Raw::deserialize(value).map_err(|error| bad(&error.to_string()))?;
    let material = raw.verification_material;
    // The certificate alone is of v0.3, which has proofs: an older name does not excuse it
    // from them.
    let promise_suffices = kind == V0_1 && material.certificate.is_none();
    // Where a bundle says something twice, two verifiers could take different ones.
    let leaf = match (
        material.certificate,
        material.x509_certificate_chain,
        material.public_key,
    ) {
        (Some(certificate), None, None) => Some(certificate),
        (None, Some(chain), None) => Some(chain.leaf()?),
        (None, None, _) => None,
        _ => return Err(bad("it names more than one signer")),
    };
    let content = content(raw.message_signature, raw.dsse_envelope)?;
    let timestamps = material.timestamp_verification_data.rfc3161_timestamps;
    if material.tlog_entries.len().max(timestamps.len()) > MOST {
        return Err(bad(&format!(
            "it holds more than {MOST} log entries or timestamps"
        )));
    }
    let mut entries = material.tlog_entries.into_iter().map(RawEntry::entry);
    let entry = entries.next().transpose()?;
    Ok(Bundle {
        content,
        leaf: leaf
            .map(|leaf| Leaf::from_der(&leaf.raw_bytes.0))
            .transpose()
            .map_err(|error| Fail::from_error(&error))?,
        entry,
        further_entries: entries.collect::<Result<_, _>>()?,
        timestamps: timestamps
            .into_iter()
            .map(|timestamp| timestamp.signed_timestamp.0)
            .collect(),
        envelope: None,
        promise_suffices,
    })
}

impl RawChain {
    /// Its first certificate. Which root is trusted is not for the bundle to say, so it
    /// holds none.
    fn leaf(self) -> Result<RawCertificate, Fail> {
        let mut all = self.certificates.into_iter();
        let leaf = all.next();
        for above in all {
            let above: Certificate = der::read(&above.raw_bytes.0)
                .map_err(|error| bad(&format!("a certificate of its chain: {error}")))?;
            if above.tbs_certificate.issuer == above.tbs_certificate.subject {
                return Err(bad("its chain of certificates holds a root"));
            }
        }
        leaf.ok_or_else(|| bad("its chain of certificates is empty"))
    }
}

fn bad(what: &str) -> Fail {
    broken(format!(
        "that is not a bundle that this program reads: {what}"
    ))
}

/// What was signed, and the signature of it.
fn content(message: Option<MessageSignature>, envelope: Option<Envelope>) -> Result<Content, Fail> {
    match (message, envelope) {
        (Some(message), None) => Ok(Content::Message {
            hashing: Hashing::named(&message.message_digest.algorithm)
                .ok_or_else(|| bad("its message is hashed with an unknown algorithm"))?,
            digest: message.message_digest.digest.0,
            signature: message.signature.0,
        }),
        (None, Some(envelope)) => {
            let [signature] = envelope.signatures.as_slice() else {
                return Err(bad("its envelope has not one signature"));
            };
            Ok(Content::Envelope {
                payload_type: envelope.payload_type,
                payload: envelope.payload.0,
                signature: signature.sig.0.clone(),
            })
        }
        _ => Err(bad("it holds not one signature")),
    }
}
