//! The body of a log entry: what the log committed to, by kind.
//!
//! | kind | certificate | digest |
//! |---|---|---|
//! | `hashedrekord 0.0.1` | `spec.signature.publicKey.content`, base64 of PEM | `spec.data.hash` |
//! | `hashedrekord 0.0.2` | `spec.hashedRekordV002.signature.verifier.x509Certificate.rawBytes`, base64 of DER | `spec.hashedRekordV002.data` |
//! | `dsse 0.0.1` | `spec.signatures[0].verifier`, base64 of PEM | `spec.payloadHash` |
//! | `dsse 0.0.2` | `spec.dsseV002.signatures[0].verifier.x509Certificate.rawBytes` | `spec.dsseV002.payloadHash` |

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::certificate::Leaf;
use crate::encoding::hex;

/// The DER of the certificate in an entry; `None` where it holds none.
///
/// # Errors
/// Where what stands in its place is no certificate.
pub fn certificate(body: &Value) -> Result<Option<Vec<u8>>> {
    let spec = &body["spec"];
    let decode = |text: &str| {
        BASE64_STANDARD
            .decode(text)
            .context("the certificate in the entry is no base64")
    };
    let pem = match kind(body) {
        ("hashedrekord", "0.0.1") => spec["signature"]["publicKey"]["content"].as_str(),
        ("dsse", "0.0.1") => spec["signatures"][0]["verifier"].as_str(),
        _ => None,
    };
    if let Some(text) = pem {
        let pem = decode(text)?;
        // An entry signed with a key holds `PUBLIC KEY` in its place.
        let is_certificate = pem.windows(17).any(|window| window == b"BEGIN CERTIFICATE");
        return if is_certificate {
            Ok(Some(Leaf::from_pem(&pem)?.der().to_vec()))
        } else {
            Ok(None)
        };
    }
    let verifier = match kind(body) {
        ("hashedrekord", "0.0.2") => &spec["hashedRekordV002"]["signature"]["verifier"],
        ("dsse", "0.0.2") => &spec["dsseV002"]["signatures"][0]["verifier"],
        _ => return Ok(None),
    };
    verifier["x509Certificate"]["rawBytes"]
        .as_str()
        .map(decode)
        .transpose()
}

/// The digest in an entry: `sha256:…`.
pub fn digest(body: &Value) -> Option<String> {
    let spec = &body["spec"];
    let named = |hash: &Value| {
        Some(format!(
            "{}:{}",
            hash["algorithm"].as_str()?,
            hash["value"].as_str()?
        ))
    };
    let hashed = |hash: &Value| {
        let algorithm = hash["algorithm"]
            .as_str()?
            .strip_prefix("SHA2_")
            .map(|bits| format!("sha{bits}"))?;
        Some(format!(
            "{algorithm}:{}",
            hex(&BASE64_STANDARD.decode(hash["digest"].as_str()?).ok()?)
        ))
    };
    match kind(body) {
        ("hashedrekord", "0.0.1") => named(&spec["data"]["hash"]),
        ("dsse", "0.0.1") => named(&spec["payloadHash"]),
        ("hashedrekord", "0.0.2") => hashed(&spec["hashedRekordV002"]["data"]),
        ("dsse", "0.0.2") => hashed(&spec["dsseV002"]["payloadHash"]),
        _ => None,
    }
}

fn kind(body: &Value) -> (&str, &str) {
    (
        body["kind"].as_str().unwrap_or_default(),
        body["apiVersion"].as_str().unwrap_or_default(),
    )
}
