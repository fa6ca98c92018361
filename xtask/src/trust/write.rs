//! Trust material: what a verifier must know (the trusted root) and where a
//! signer must go (the signing config), in the JSON of protobuf-specs
//! (`sigstore_trustroot.proto`).

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use x509_cert::Certificate;
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier};
use x509_cert::der::{DecodePem, Encode, EncodePem};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use crate::fail::broken;
use crate::format::hashing::sha256_hash;

/// The period in which a key counts, RFC 3339; it has no end while the key is in use.
#[derive(Debug, Clone, Copy)]
pub struct InUse<'a> {
    /// When it begins.
    pub since: &'a str,
    /// When it ended.
    pub until: Option<&'a str>,
}

/// The certificates of an authority, and where it is asked.
pub struct CertificateChain<'a> {
    /// The address at which it is asked.
    pub url: &'a str,
    /// The certificates, PEM, the root last.
    pub pem: &'a str,
    /// When they count.
    pub in_use: InUse<'a>,
}

/// The public key of a transparency log, and where the log is asked.
pub struct LogKey<'a> {
    /// The address at which it is asked.
    pub url: &'a str,
    /// The public key, PEM.
    pub pem: &'a str,
    /// The name in its checkpoints, where its id is made of that as well (C2SP
    /// tlog-checkpoint, as Rekor v2 does it).
    pub origin: Option<&'a str>,
    /// When it counts.
    pub in_use: InUse<'a>,
}

/// What a verifier must know: every key that counts or counted, by what it signs.
#[derive(Default)]
pub struct PublicParts<'a> {
    /// Of Fulcio.
    pub fulcio: Vec<CertificateChain<'a>>,
    /// Of timestamp authorities.
    pub timestamp: Vec<CertificateChain<'a>>,
    /// Of CT logs.
    pub ctlogs: Vec<LogKey<'a>>,
    /// Of Rekor, either version.
    pub rekor: Vec<LogKey<'a>>,
}

/// Where a signer must go.
#[derive(Debug, Clone, Copy)]
pub struct Services<'a> {
    /// Fulcio.
    pub fulcio: &'a str,
    /// The OIDC issuer.
    pub issuer: &'a str,
    /// Rekor.
    pub rekor: &'a str,
    /// The version of Rekor's API: 1 or 2.
    pub rekor_version: u8,
    /// The timestamp authority; Rekor v2 cannot do without one.
    pub timestamp: Option<&'a str>,
    /// Since when they serve, RFC 3339.
    pub since: &'a str,
}

/// The trusted root of an installation.
pub fn trusted_root(parts: &PublicParts<'_>) -> Result<Value> {
    let mut root = json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": all(&parts.rekor, log)?,
        "certificateAuthorities": all(&parts.fulcio, authority)?,
        "ctlogs": all(&parts.ctlogs, log)?,
    });
    // In protobuf's JSON an empty list is left out.
    if !parts.timestamp.is_empty() {
        root["timestampAuthorities"] = all(&parts.timestamp, authority)?;
    }
    Ok(root)
}

fn all<T>(keys: &[T], write: fn(&T) -> Result<Value>) -> Result<Value> {
    keys.iter().map(write).collect()
}

/// A signing config with one server of each kind.
pub fn signing_config(services: &Services<'_>) -> Value {
    let service = |url: &str, version: u8| {
        json!([{
            "url": url,
            "majorApiVersion": version,
            "validFor": {"start": services.since},
            "operator": "workshop",
        }])
    };
    let mut config = json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": service(services.fulcio, 1),
        "oidcUrls": service(services.issuer, 1),
        "rekorTlogUrls": service(services.rekor, services.rekor_version),
        "rekorTlogConfig": {"selector": "ANY"},
    });
    if let Some(url) = services.timestamp {
        config["tsaUrls"] = service(url, 1);
    }
    config["tsaConfig"] = json!({"selector": "ANY"});
    config
}

/// Both in one file, as clients other than cosign want them.
pub(crate) fn client_config(root: &Value, config: &Value) -> Value {
    json!({
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": root,
        "signingConfig": config,
    })
}

/// The public key of a certificate, PEM.
pub fn public_key(certificate: &str) -> Result<String> {
    Certificate::from_pem(certificate)
        .and_then(|certificate| {
            certificate
                .tbs_certificate
                .subject_public_key_info
                .to_pem(x509_cert::der::pem::LineEnding::LF)
        })
        .map_err(|error| broken(format!("that is not a certificate: {error}")).into())
}

/// When the first certificate of a chain begins, RFC 3339.
pub(crate) fn not_before(chain: &str) -> Result<String> {
    let chain = Certificate::load_pem_chain(chain.as_bytes())
        .map_err(|error| broken(format!("that is no chain of certificates: {error}")))?;
    let certificate = chain.first().context("a chain without a certificate")?;
    let begins = certificate.tbs_certificate.validity.not_before;
    crate::time::from_unix(begins.to_unix_duration().as_secs())
        .context("a certificate begins outside the calendar")
}

fn valid_for(in_use: InUse<'_>) -> Value {
    match in_use.until {
        None => json!({"start": in_use.since}),
        Some(until) => json!({"start": in_use.since, "end": until}),
    }
}

fn authority(authority: &CertificateChain<'_>) -> Result<Value> {
    let chain = Certificate::load_pem_chain(authority.pem.as_bytes())
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
        "validFor": valid_for(authority.in_use),
    }))
}

fn log(log: &LogKey<'_>) -> Result<Value> {
    let key = SubjectPublicKeyInfoOwned::from_pem(log.pem)
        .map_err(|error| broken(format!("that is no public key: {error}")))?;
    let der = key.to_der()?;
    Ok(json!({
        "baseUrl": log.url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": BASE64_STANDARD.encode(&der),
            "keyDetails": key_details(&key)?,
            "validFor": valid_for(log.in_use),
        },
        "logId": {"keyId": BASE64_STANDARD.encode(log_id(log.origin, &key, &der))},
    }))
}

/// The id of a log: the hash of its key (RFC 6962, section 3.2), or of its name and its
/// Ed25519 key (C2SP signed-note).
fn log_id(origin: Option<&str>, key: &SubjectPublicKeyInfoOwned, der: &[u8]) -> Vec<u8> {
    let hash = match origin {
        None => sha256_hash(&[der]),
        Some(origin) => sha256_hash(&[
            origin.as_bytes(),
            b"\n\x01",
            key.subject_public_key.raw_bytes(),
        ]),
    };
    hash.to_vec()
}

/// The id of a log with this key, PEM; `origin` where the id is made of that as well.
pub(crate) fn log_id_of(origin: Option<&str>, pem: &[u8]) -> Result<Vec<u8>> {
    let key = SubjectPublicKeyInfoOwned::from_pem(pem)
        .map_err(|error| broken(format!("that is no public key: {error}")))?;
    Ok(log_id(origin, &key, &key.to_der()?))
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
