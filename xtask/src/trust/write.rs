//! Trust material: what a verifier must know (the trusted root) and where a
//! signer must go (the signing config), in the JSON of protobuf-specs
//! (`sigstore_trustroot.proto`).

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier};
use x509_cert::der::{DecodePem, Encode, EncodePem};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use crate::fail::broken;

/// A certificate authority: where it is asked, and its chain, root last.
pub struct Authority<'a> {
    /// Where it is asked.
    pub url: &'a str,
    /// The chain, PEM.
    pub chain: &'a str,
    /// Since when it issues, RFC 3339.
    pub since: &'a str,
}

/// A transparency log: where it is asked, and the key that it signs with.
pub struct Log<'a> {
    /// Where it is asked.
    pub url: &'a str,
    /// The public key, PEM.
    pub key: &'a str,
    /// Since when it signs, RFC 3339.
    pub since: &'a str,
}

/// The trusted root of an installation with one authority and one log of each
/// kind.
///
/// # Errors
/// Where a certificate or key cannot be read, or is of a kind that has no name
/// in the format.
pub fn trusted_root(fulcio: &Authority<'_>, ctlog: &Log<'_>, rekor: &Log<'_>) -> Result<Value> {
    Ok(json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [log(rekor)?],
        "certificateAuthorities": [authority(fulcio)?],
        "ctlogs": [log(ctlog)?],
    }))
}

/// A signing config with one server of each kind; Rekor's API has version 1.
pub fn signing_config(fulcio: &str, issuer: &str, rekor: &str, since: &str) -> Value {
    let service = |url: &str| {
        json!([{
            "url": url,
            "majorApiVersion": 1,
            "validFor": {"start": since},
            "operator": "workshop",
        }])
    };
    json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": service(fulcio),
        "oidcUrls": service(issuer),
        "rekorTlogUrls": service(rekor),
        "rekorTlogConfig": {"selector": "ANY"},
        "tsaConfig": {"selector": "ANY"},
    })
}

/// Both in one file, as clients other than cosign want them.
pub fn client_config(root: &Value, config: &Value) -> Value {
    json!({
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": root,
        "signingConfig": config,
    })
}

/// The public key of a certificate, PEM.
///
/// # Errors
/// Where the text is no certificate.
pub fn public_key(certificate: &str) -> Result<String> {
    Certificate::from_pem(certificate)
        .and_then(|certificate| {
            certificate
                .tbs_certificate
                .subject_public_key_info
                .to_pem(x509_cert::der::pem::LineEnding::LF)
        })
        .map_err(|error| broken(format!("that is no certificate: {error}")).into())
}

/// When a certificate begins, RFC 3339.
///
/// # Errors
/// Where the text is no certificate.
pub fn not_before(certificate: &str) -> Result<String> {
    let certificate = Certificate::from_pem(certificate)
        .map_err(|error| broken(format!("that is no certificate: {error}")))?;
    let begins = certificate.tbs_certificate.validity.not_before;
    crate::time::from_unix(begins.to_unix_duration().as_secs())
        .context("a certificate begins outside the calendar")
}

fn authority(authority: &Authority<'_>) -> Result<Value> {
    let chain = Certificate::load_pem_chain(authority.chain.as_bytes())
        .map_err(|error| broken(format!("that is no chain of certificates: {error}")))?;
    let root = chain.last().context("a chain without a certificate")?;
    let part = |oid: &str| {
        let names = root.tbs_certificate.subject.0.iter();
        let mut parts = names.flat_map(|names| names.0.iter());
        let part = parts.find(|part| part.oid.to_string() == oid);
        part.map_or(String::new(), |part| {
            String::from_utf8_lossy(part.value.value()).into_owned()
        })
    };
    let certificates: Vec<Value> = chain
        .iter()
        .map(|certificate| Ok(json!({"rawBytes": BASE64_STANDARD.encode(certificate.to_der()?)})))
        .collect::<Result<_>>()?;
    Ok(json!({
        "subject": {"organization": part("2.5.4.10"), "commonName": part("2.5.4.3")},
        "uri": authority.url,
        "certChain": {"certificates": certificates},
        "validFor": {"start": authority.since},
    }))
}

fn log(log: &Log<'_>) -> Result<Value> {
    let key = SubjectPublicKeyInfoOwned::from_pem(log.key)
        .map_err(|error| broken(format!("that is no public key: {error}")))?;
    let der = key.to_der()?;
    Ok(json!({
        "baseUrl": log.url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": BASE64_STANDARD.encode(&der),
            "keyDetails": key_details(&key)?,
            "validFor": {"start": log.since},
        },
        // The id of a log is the hash of its key (RFC 6962, section 3.2).
        "logId": {"keyId": BASE64_STANDARD.encode(Sha256::digest(&der))},
    }))
}

/// The name of a kind of key (`PublicKeyDetails` in `sigstore_common.proto`).
fn key_details(key: &SubjectPublicKeyInfoOwned) -> Result<&'static str> {
    const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
    const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
    const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
    const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
    const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
    let curve = key.algorithm.parameters.as_ref().and_then(|parameters| {
        AnyRef::from(parameters)
            .decode_as::<ObjectIdentifier>()
            .ok()
    });
    match (key.algorithm.oid, curve) {
        (EC, Some(P256)) => Ok("PKIX_ECDSA_P256_SHA_256"),
        (EC, Some(P384)) => Ok("PKIX_ECDSA_P384_SHA_384"),
        (ED25519, _) => Ok("PKIX_ED25519"),
        (RSA, _) => match key.subject_public_key.raw_bytes().len() {
            // Modulus, exponent and their DER headers.
            256..=300 => Ok("PKIX_RSA_PKCS1V15_2048_SHA256"),
            384..=428 => Ok("PKIX_RSA_PKCS1V15_3072_SHA256"),
            512..=556 => Ok("PKIX_RSA_PKCS1V15_4096_SHA256"),
            _ => Err(broken("an RSA key of a size that no trusted root names").into()),
        },
        (other, _) => Err(broken(format!(
            "a key of the kind {other} has no name in a trusted root"
        ))
        .into()),
    }
}
