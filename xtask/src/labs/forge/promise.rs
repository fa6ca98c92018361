//! Promises of CT logs for certificates of a stolen CA: a real one, and one of a log
//! that nobody knows.

use std::time::SystemTime;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tls_codec::{DeserializeBytes, TlsByteVecU16};
use x509_cert::ext::pkix::sct::{
    DigitallySigned, HashAlgorithm, LogId, SignatureAlgorithm, SignatureAndHashAlgorithm,
    SignedCertificateTimestamp, Version,
};

use super::{Draft, StolenAuthority, ct_log, post};
use crate::format::hashing::sha256_hash;
use crate::format::private_key::PrivateKey;
use crate::labs::Session;
use crate::proof::sct::signed_data;

/// Has the lab's CT log promise to show a draft, as Fulcio does (RFC 6962, section
/// 4.2): the log takes what a CA that it knows has signed.
pub(crate) fn promised_by_the_log(
    session: &Session<'_>,
    ca: &StolenAuthority,
    draft: &Draft,
) -> Result<SignedCertificateTimestamp> {
    let chain = [&ca.precertificate(draft)?[..], ca.certificate().der()];
    let ask = json!({"chain": chain.map(|one| BASE64_STANDARD.encode(one))});
    let url = format!("{}/add-pre-chain", ct_log(session)?);
    let answer = post(
        session,
        "application/json",
        "precertificate",
        ask.to_string().as_bytes(),
        &url,
    )?;
    let answer: Value = serde_json::from_slice(&answer).context("read the promise")?;
    let bytes = |name: &str| {
        let text = answer[name].as_str().unwrap_or_default();
        BASE64_STANDARD.decode(text).context("read the promise")
    };
    let (signature, _) = DigitallySigned::tls_deserialize_bytes(&bytes("signature")?)?;
    let id = bytes("id")?.try_into().ok();
    Ok(SignedCertificateTimestamp {
        version: Version::V1,
        log_id: LogId {
            key_id: id.context("the promise names no log")?,
        },
        timestamp: answer["timestamp"]
            .as_u64()
            .context("the promise names no time")?,
        extensions: TlsByteVecU16::new(bytes("extensions")?),
        signature,
    })
}

/// A right promise for a draft, of a CT log that exists nowhere but here.
pub(crate) fn promised_by_nobody(
    ca: &StolenAuthority,
    draft: &Draft,
) -> Result<SignedCertificateTimestamp> {
    promise(&PrivateKey::random()?, Vec::new(), ca, draft)
}

/// A promise of the lab's CT log for a draft, that it will stand at this place, of which
/// the log itself knows nothing: its key alone made it.
pub(crate) fn promised_without_an_entry(
    session: &Session<'_>,
    ca: &StolenAuthority,
    draft: &Draft,
    place: u64,
) -> Result<SignedCertificateTimestamp> {
    let log = super::stolen(session, "ctlog-1.key")?;
    // C2SP static-ct-api, "SCT Extension": the kind, the length, and 40 bits.
    let [_, _, _, place @ ..] = place.to_be_bytes();
    promise(&log, [&[0, 0, 5][..], &place].concat(), ca, draft)
}

/// What a log with this key promises now.
fn promise(
    key: &PrivateKey,
    extensions: Vec<u8>,
    ca: &StolenAuthority,
    draft: &Draft,
) -> Result<SignedCertificateTimestamp> {
    let id = sha256_hash(&[&key.public_der()?]);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let mut sct = SignedCertificateTimestamp {
        version: Version::V1,
        log_id: LogId { key_id: id },
        timestamp: u64::try_from(now.as_millis())?,
        extensions: TlsByteVecU16::new(extensions),
        signature: DigitallySigned {
            algorithm: SignatureAndHashAlgorithm {
                hash: HashAlgorithm::Sha256,
                signature: SignatureAlgorithm::Ecdsa,
            },
            signature: TlsByteVecU16::new(Vec::new()),
        },
    };
    let signed =
        signed_data(&sct, &ca.key_hash()?, &draft.to_be_signed()?).map_err(anyhow::Error::msg)?;
    sct.signature.signature = TlsByteVecU16::new(key.sign(&signed)?);
    Ok(sct)
}
