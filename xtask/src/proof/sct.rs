//! Signed certificate timestamps: the CT log's promise to show a certificate,
//! embedded in the certificate that it is about (RFC 6962, section 3.3).

use tls_codec::Serialize as _;
use x509_cert::Certificate;
use x509_cert::der::Encode;
use x509_cert::ext::pkix::SignedCertificateTimestampList;
use x509_cert::ext::pkix::sct::{
    HashAlgorithm, SignatureAlgorithm, SignedCertificateTimestamp, Version,
};

use crate::format::certificate::SCT_LIST;
use crate::format::der;
use crate::format::hex::hex;
use crate::format::key::{KeyKind, Unproved};
use crate::time;
use crate::tlog::merkle::Hash;
use crate::trust::root::TrustedRoot;

/// Checks the timestamps in a certificate against the CT logs of the trusted root:
/// at least one is of a log that it knows, and all of those are right.
pub fn verify(
    certificate: &Certificate,
    issuer_key_hash: &Hash,
    root: &TrustedRoot,
) -> Result<String, Unproved> {
    let precertificate = precertificate(certificate)?;
    let mut details = Vec::new();
    let mut strangers = Vec::new();
    let scts = embedded(certificate)?;
    if scts.is_empty() {
        return Err("no timestamp of a CT log is embedded".into());
    }
    for sct in scts {
        let id = sct.log_id.key_id;
        let Some(log) = root.ctlog(&id) else {
            strangers.push(hex(&id[..4]));
            continue;
        };
        let named = format!("the CT log {}", hex(&id[..4]));
        let key = log.key()?;
        // RFC 6962, section 2.1.4: a log has a key of one of these two kinds.
        let of_key = match key.kind() {
            KeyKind::P256 | KeyKind::P384 => SignatureAlgorithm::Ecdsa,
            KeyKind::Rsa | KeyKind::RsaPss => SignatureAlgorithm::Rsa,
            KeyKind::Ed25519 => SignatureAlgorithm::Anonymous,
        };
        let algorithm = &sct.signature.algorithm;
        if sct.version != Version::V1
            || algorithm.hash != HashAlgorithm::Sha256
            || algorithm.signature != of_key
        {
            let why = format!("the timestamp of {named} is of a kind without use here");
            return Err(why.into());
        }
        let signed = signed_data(&sct, issuer_key_hash, &precertificate)?;
        key.verify(&signed, sct.signature.signature.as_slice())
            .map_err(|why| format!("the timestamp of {named}: {why}"))?;
        let seconds = sct.timestamp / 1000;
        let when = time::from_unix(seconds).unwrap_or_else(|| seconds.to_string());
        if !log.valid_for().holds(seconds) {
            let why = format!("{named} promised it at {when}, when its key did not count");
            return Err(why.into());
        }
        details.push(format!(
            "{named} promised at {when} to show the certificate"
        ));
    }
    if details.is_empty() {
        let strangers = strangers.join(", ");
        return Err(format!("the trusted root does not know the CT log {strangers}").into());
    }
    Ok(details.join("; "))
}

/// The timestamps in a certificate, nothing of which has been checked.
pub(crate) fn embedded(
    certificate: &Certificate,
) -> Result<Vec<SignedCertificateTimestamp>, String> {
    let unreadable = "the list of timestamps cannot be read";
    let list = der::extension::<SignedCertificateTimestampList>(certificate);
    let Some(list) = list.map_err(|_| unreadable)? else {
        return Ok(Vec::new());
    };
    let all = list.parse_timestamps().map_err(|_| unreadable)?;
    all.iter()
        .map(|sct| sct.parse_timestamp().map_err(|_| unreadable.to_owned()))
        .collect()
}

/// What the log was shown: the certificate without the timestamps and without a
/// signature (RFC 6962, section 3.2, `TBSCertificate`).
fn precertificate(certificate: &Certificate) -> Result<Vec<u8>, String> {
    let mut tbs = certificate.tbs_certificate.clone();
    if let Some(extensions) = &mut tbs.extensions {
        extensions.retain(|extension| extension.extn_id != SCT_LIST);
    }
    tbs.to_der().map_err(|error| error.to_string())
}

/// What the log signed (RFC 6962, section 3.2): version, kind of signature, time,
/// kind of entry, issuer, precertificate, extensions.
pub(crate) fn signed_data(
    sct: &SignedCertificateTimestamp,
    issuer_key_hash: &Hash,
    precertificate: &[u8],
) -> Result<Vec<u8>, String> {
    const V1: u8 = 0;
    const CERTIFICATE_TIMESTAMP: u8 = 0;
    const PRECERT_ENTRY: [u8; 2] = [0, 1];
    let length = u32::try_from(precertificate.len()).map_err(|error| error.to_string())?;
    let [0, length @ ..] = length.to_be_bytes() else {
        return Err("the certificate is too large for a CT log".into());
    };
    let extensions = sct
        .extensions
        .tls_serialize_detached()
        .map_err(|error| error.to_string())?;
    Ok([
        &[V1, CERTIFICATE_TIMESTAMP],
        sct.timestamp.to_be_bytes().as_slice(),
        &PRECERT_ENTRY,
        issuer_key_hash,
        &length,
        precertificate,
        &extensions,
    ]
    .concat())
}
