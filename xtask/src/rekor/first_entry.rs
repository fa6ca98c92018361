//! The first entry of a log: one of the workshop's own, so that no user's has the index 0,
//! which protobuf's JSON leaves out and some clients then miss.

use std::time::Duration;

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{Encode, EncodePem};

use crate::entry::Version;
use crate::format::hashing::sha256_hash;
use crate::format::hex::hex;
use crate::format::private_key::PrivateKey;
use crate::http::post_json;

/// What is signed.
const MESSAGE: &[u8] = b"the first entry of this log, made by the workshop\n";

/// How long a log may take.
const WITHIN: Duration = Duration::from_secs(20);

/// Has a log on loopback record a signature of a key that nobody keeps. It is waited for
/// until the log answers, a second in Rekor v2: rekor-tiles 2.3.0 refuses those who wait at
/// the same time as somebody who goes away.
pub(crate) fn append_first(version: Version, log: &str) -> Result<()> {
    let (path, entry) = match version {
        Version::V1 => ("/api/v1/log/entries", v1()?),
        Version::V2 => ("/api/v2/log/entries", v2()?),
    };
    post_json(&format!("{log}{path}"), &entry, WITHIN)?;
    Ok(())
}

/// A signature, and the public key for it, DER and PEM, all in base64.
struct Signed {
    signature: String,
    der: String,
    pem: String,
}

fn signed() -> Result<Signed> {
    let key = PrivateKey::random()?;
    let public = key.public()?;
    let encoded = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    Ok(Signed {
        signature: encoded(&key.sign(MESSAGE)?),
        der: encoded(&public.to_der()?),
        pem: encoded(public.to_pem(LineEnding::LF)?.as_bytes()),
    })
}

/// As Rekor v1 takes it (`hashedrekord_v0_0_1_schema.json` of sigstore/rekor).
fn v1() -> Result<Value> {
    let signed = signed()?;
    Ok(
        json!({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {
            "data": {"hash": {"algorithm": "sha256", "value": hex(&sha256_hash(&[MESSAGE]))}},
            "signature": {"content": signed.signature, "publicKey": {"content": signed.pem}},
        }}),
    )
}

/// As Rekor v2 takes it (`hashedrekord.proto` of sigstore/rekor-tiles).
fn v2() -> Result<Value> {
    let signed = signed()?;
    Ok(json!({"hashedRekordRequestV002": {
        "digest": BASE64_STANDARD.encode(sha256_hash(&[MESSAGE])),
        "signature": {
            "content": signed.signature,
            "verifier": {
                "publicKey": {"rawBytes": signed.der},
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            },
        },
    }}))
}
