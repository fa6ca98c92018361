//! The body of a log entry: what the log committed to, by kind (the types of
//! sigstore/rekor, and `rekor/v2/entry.proto` of protobuf-specs).
//!
//! | kind | digest of | digest | signature and verifier |
//! |---|---|---|---|
//! | `hashedrekord 0.0.1` | the message | `spec.data.hash` | `spec.signature`: `content`, `publicKey.content` (PEM) |
//! | `hashedrekord 0.0.2` | the message | `spec.hashedRekordV002.data` | `spec.hashedRekordV002.signature`: `content`, `verifier` (DER) |
//! | `dsse 0.0.1` | the payload | `spec.payloadHash` | `spec.signatures[0]`: `signature`, `verifier` (PEM) |
//! | `intoto 0.0.2` | the payload | `spec.content.payloadHash` | `spec.content.envelope.signatures[0]`: `sig`, `publicKey` (PEM) |
//! | `dsse 0.0.2` | the payload | `spec.dsseV002.payloadHash` | `spec.dsseV002.signatures[0]`: `content`, `verifier` (DER) |
//!
//! The message is what was signed: a file, or of an envelope its pre-authentication
//! encoding (DSSE, `PAE`).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;
use x509_cert::spki::SubjectPublicKeyInfoRef;

use crate::format::certificate::Leaf;
use crate::format::der;
use crate::format::hex::hex;
use crate::format::key::Hashing;

/// What an entry of a known kind records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryBody {
    /// Whether the digest is that of an envelope's payload instead of the message's.
    pub of_payload: bool,
    /// How it was hashed.
    pub hashing: Hashing,
    /// The digest.
    pub digest: Vec<u8>,
    /// The signature of the message.
    pub signature: Vec<u8>,
    /// Who made it.
    pub verifier: Verifier,
}

/// What verifies a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verifier {
    /// A certificate, DER.
    Certificate(Vec<u8>),
    /// A public key, DER (SubjectPublicKeyInfo).
    Key(Vec<u8>),
}

/// Reads the body of an entry; `None` where its kind is another.
///
/// # Errors
/// Where its kind is known, but not what is in it.
pub fn recorded(body: &Value) -> Result<Option<EntryBody>, String> {
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    let spec = &body["spec"];
    let v2 = &spec["hashedRekordV002"];
    let dsse_v2 = &spec["dsseV002"];
    let recorded = match (text("kind"), text("apiVersion")) {
        ("hashedrekord", "0.0.1") => EntryBody {
            of_payload: false,
            hashing: hashing(&spec["data"]["hash"])?,
            digest: digits(&spec["data"]["hash"]["value"])?,
            signature: bytes(&spec["signature"]["content"])?,
            verifier: pem(&spec["signature"]["publicKey"]["content"])?,
        },
        ("hashedrekord", "0.0.2") => EntryBody {
            of_payload: false,
            hashing: hashing(&v2["data"])?,
            digest: bytes(&v2["data"]["digest"])?,
            signature: bytes(&v2["signature"]["content"])?,
            verifier: verifier(&v2["signature"]["verifier"])?,
        },
        ("dsse", "0.0.1") => {
            let signature = only(&spec["signatures"])?;
            EntryBody {
                of_payload: true,
                hashing: hashing(&spec["payloadHash"])?,
                digest: digits(&spec["payloadHash"]["value"])?,
                signature: bytes(&signature["signature"])?,
                verifier: pem(&signature["verifier"])?,
            }
        }
        ("intoto", "0.0.2") => {
            let content = &spec["content"];
            let signature = only(&content["envelope"]["signatures"])?;
            let once = bytes(&signature["sig"])?;
            // Most clients encoded it before Rekor did so again.
            let twice = BASE64_STANDARD.decode(&once);
            EntryBody {
                of_payload: true,
                hashing: hashing(&content["payloadHash"])?,
                digest: digits(&content["payloadHash"]["value"])?,
                signature: twice.unwrap_or(once),
                verifier: pem(&signature["publicKey"])?,
            }
        }
        ("dsse", "0.0.2") => {
            let signature = only(&dsse_v2["signatures"])?;
            EntryBody {
                of_payload: true,
                hashing: hashing(&dsse_v2["payloadHash"])?,
                digest: bytes(&dsse_v2["payloadHash"]["digest"])?,
                signature: bytes(&signature["content"])?,
                verifier: verifier(&signature["verifier"])?,
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(recorded))
}

impl EntryBody {
    /// The digest as it is written: `sha256:…`.
    pub fn digest_text(&self) -> String {
        format!("{}:{}", self.hashing.name(), hex(&self.digest))
    }
}

fn hashing(hash: &Value) -> Result<Hashing, String> {
    let name = hash["algorithm"].as_str();
    name.and_then(Hashing::named)
        .ok_or_else(|| "the digest in the entry is of an unknown kind".into())
}

fn only(signatures: &Value) -> Result<&Value, String> {
    match signatures.as_array().map(Vec::as_slice) {
        Some([signature]) => Ok(signature),
        _ => Err("the entry has not one signature".into()),
    }
}

fn bytes(value: &Value) -> Result<Vec<u8>, String> {
    let text = value.as_str();
    text.and_then(|text| BASE64_STANDARD.decode(text).ok())
        .ok_or_else(|| "a field of the entry is not base64".into())
}

fn digits(value: &Value) -> Result<Vec<u8>, String> {
    let text = value.as_str();
    text.and_then(crate::format::hex::unhex)
        .ok_or_else(|| "a digest in the entry is not hexadecimal".into())
}

fn pem(value: &Value) -> Result<Verifier, String> {
    let pem = bytes(value)?;
    // An entry signed with a key holds `PUBLIC KEY` in its place.
    let is_certificate = pem.windows(17).any(|window| window == b"BEGIN CERTIFICATE");
    if is_certificate {
        let leaf = Leaf::from_pem(&pem).map_err(|error| error.to_string())?;
        return Ok(Verifier::Certificate(leaf.der().to_vec()));
    }
    let neither = |why: String| format!("the entry holds neither a certificate nor a key: {why}");
    let key = SubjectPublicKeyInfoDer::from_pem_slice(&pem);
    let key = key.map_err(|error| neither(error.to_string()))?;
    der::read::<SubjectPublicKeyInfoRef<'_>>(&key).map_err(|error| neither(error.to_string()))?;
    Ok(Verifier::Key(key.to_vec()))
}

fn verifier(verifier: &Value) -> Result<Verifier, String> {
    let certificate = &verifier["x509Certificate"]["rawBytes"];
    match certificate {
        Value::Null => bytes(&verifier["publicKey"]["rawBytes"]).map(Verifier::Key),
        certificate => bytes(certificate).map(Verifier::Certificate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn encoded(bytes: &[u8]) -> String {
        BASE64_STANDARD.encode(bytes)
    }

    /// A real entry of kind dsse 0.0.1, recorded.
    fn dsse() -> EntryBody {
        let recorded = include_bytes!("../../tests/data/rekor-v1/entry-1.json");
        let entry = crate::rekor::read_v1(recorded).unwrap();
        assert_eq!(entry.kind(), "dsse 0.0.1");
        entry.recorded().unwrap().unwrap()
    }

    /// Rekor v2 takes no `dsse`, and no server here makes `intoto`: the same content
    /// in their form is read the same.
    #[test]
    fn other_kinds_of_envelope_say_the_same() {
        let known = dsse();
        let Verifier::Certificate(der) = &known.verifier else {
            panic!("it is signed with an identity");
        };
        let pem = crate::format::certificate::Leaf::from_der(der)
            .unwrap()
            .pem()
            .unwrap();
        let v2 = json!({
            "kind": "dsse", "apiVersion": "0.0.2",
            "spec": {"dsseV002": {
                "payloadHash": {"algorithm": "SHA2_256", "digest": encoded(&known.digest)},
                "signatures": [{
                    "content": encoded(&known.signature),
                    "verifier": {"keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": {"rawBytes": encoded(der)}},
                }],
            }},
        });
        assert_eq!(recorded(&v2), Ok(Some(known.clone())));
        let twice = encoded(encoded(&known.signature).as_bytes());
        for sig in [encoded(&known.signature), twice] {
            let intoto = json!({
                "kind": "intoto", "apiVersion": "0.0.2",
                "spec": {"content": {
                    "envelope": {"signatures": [{"sig": sig, "publicKey": encoded(pem.as_bytes())}]},
                    "payloadHash": {"algorithm": "sha256", "value": hex(&known.digest)},
                }},
            });
            assert_eq!(recorded(&intoto), Ok(Some(known.clone())));
        }
    }

    #[test]
    fn what_is_wrong_in_a_known_kind_is_said() {
        let kind =
            |kind: &str, version: &str| json!({"kind": kind, "apiVersion": version, "spec": {}});
        for (name, version) in [
            ("hashedrekord", "0.0.1"),
            ("hashedrekord", "0.0.2"),
            ("dsse", "0.0.1"),
            ("dsse", "0.0.2"),
            ("intoto", "0.0.2"),
        ] {
            assert!(recorded(&kind(name, version)).is_err(), "{name} {version}");
        }
        for (name, version) in [("rekord", "0.0.1"), ("dsse", "0.0.3"), ("", "")] {
            assert_eq!(recorded(&kind(name, version)), Ok(None));
        }
    }
}
