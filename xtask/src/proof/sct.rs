//! Signed certificate timestamps: the CT log's promise to show a certificate,
//! embedded in the certificate that it is about (RFC 6962, section 3.3).

use tls_codec::Serialize as _;
use x509_cert::Certificate;
use x509_cert::der::Encode;
use x509_cert::ext::pkix::SignedCertificateTimestampList;
use x509_cert::ext::pkix::sct::{SignedCertificateTimestamp, Version};

use crate::format::certificate::SCT_LIST;
use crate::format::der;
use crate::format::hex::hex;
use crate::format::key::Unproved;
use crate::time;
use crate::tlog::ct_signature;
use crate::tlog::merkle::{self, Hash};
use crate::trust::root::{TransparencyLog, TrustedRoot};

/// A promise that holds: a log of the trusted root made it for the certificate, at a
/// time at which its key counted.
#[derive(Debug, Clone)]
pub struct Promise {
    /// The id of the log.
    pub log_id: Hash,
    /// The hash of the leaf that the log promised to have.
    pub leaf: Hash,
    /// The place of the leaf, where the log named it (C2SP static-ct-api).
    pub index: Option<u64>,
    /// What it comes to.
    detail: String,
}

/// What promises come to, in words.
pub fn told(promises: &[Promise]) -> String {
    let details = promises.iter().map(|promise| promise.detail.as_str());
    details.collect::<Vec<_>>().join("; ")
}

/// Checks the timestamps in a certificate against the CT logs of the trusted root:
/// at least one is of a log that it knows, and all of those are right.
pub fn verify(
    certificate: &Certificate,
    issuer_key_hash: &Hash,
    root: &TrustedRoot,
) -> Result<Vec<Promise>, Unproved> {
    let precertificate = precertificate(certificate)?;
    let mut promises = Vec::new();
    let mut strangers = Vec::new();
    let scts = embedded(certificate)?;
    if scts.is_empty() {
        return Err("no timestamp of a CT log is embedded".into());
    }
    for sct in scts {
        match root.ctlog(&sct.log_id.key_id) {
            None => strangers.push(hex(&sct.log_id.key_id[..4])),
            Some(log) => promises.push(of_log(&sct, log, issuer_key_hash, &precertificate)?),
        }
    }
    if promises.is_empty() {
        let strangers = strangers.join(", ");
        return Err(format!("the trusted root does not know the CT log {strangers}").into());
    }
    Ok(promises)
}

/// Checks the timestamp of one log.
fn of_log(
    sct: &SignedCertificateTimestamp,
    log: &TransparencyLog,
    issuer_key_hash: &Hash,
    precertificate: &[u8],
) -> Result<Promise, Unproved> {
    let id = sct.log_id.key_id;
    let named = format!("the CT log {}", hex(&id[..4]));
    if sct.version != Version::V1 {
        return Err(format!("the timestamp of {named} is of a kind without use here").into());
    }
    let signed = signed_data(sct, issuer_key_hash, precertificate)?;
    ct_signature::verify(&log.key()?, &signed, &sct.signature)
        .map_err(|why| why.of(&format!("the timestamp of {named}")))?;
    let seconds = sct.timestamp / 1000;
    let when = time::from_unix(seconds).unwrap_or_else(|| seconds.to_string());
    if !log.valid_for().holds(seconds) {
        return Err(format!("{named} promised it at {when}, when its key did not count").into());
    }
    Ok(Promise {
        log_id: id,
        // The leaf and what is signed are the same bytes (RFC 6962, sections 3.2 and 3.4).
        leaf: merkle::leaf_hash(&signed),
        index: leaf_index(sct.extensions.as_slice())?,
        detail: format!("{named} promised at {when} to show the certificate"),
    })
}

/// The place that a log named in the extensions of a promise (C2SP static-ct-api, "SCT
/// Extension"); other kinds of extensions are passed over.
fn leaf_index(mut extensions: &[u8]) -> Result<Option<u64>, String> {
    const LEAF_INDEX: u8 = 0;
    let mut index = None;
    while let [kind, high, low, rest @ ..] = extensions {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (data, rest) = rest
            .split_at_checked(length)
            .ok_or("the extensions of the timestamp cannot be read")?;
        if *kind == LEAF_INDEX {
            let [a, b, c, d, e] = *data else {
                return Err("the place in the timestamp is not of 40 bits".into());
            };
            if index.is_some() {
                return Err("the timestamp names two places".into());
            }
            index = Some(u64::from_be_bytes([0, 0, 0, a, b, c, d, e]));
        }
        extensions = rest;
    }
    if !extensions.is_empty() {
        return Err("the extensions of the timestamp cannot be read".into());
    }
    Ok(index)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_forty_bits_of_its_extension() {
        assert_eq!(leaf_index(&[]), Ok(None));
        assert_eq!(leaf_index(&[0, 0, 5, 0, 0, 0, 1, 2]), Ok(Some(258)));
        let after_another = [9, 0, 1, 7, 0, 0, 5, 1, 0, 0, 0, 0];
        assert_eq!(leaf_index(&after_another), Ok(Some(1 << 32)));
    }

    #[test]
    fn what_names_no_place_or_two_is_refused() {
        let place = [0, 0, 5, 0, 0, 0, 0, 1];
        for damaged in [&place[..7], &place[..2], &[0, 0, 4, 0, 0, 0, 1]] {
            assert!(leaf_index(damaged).is_err(), "{damaged:?}");
        }
        assert!(leaf_index(&[place, place].concat()).is_err());
    }
}
