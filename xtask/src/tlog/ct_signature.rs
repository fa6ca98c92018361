//! Signatures of CT logs: of promises, and of tree heads under checkpoints (RFC 6962,
//! and C2SP static-ct-api).

use tls_codec::DeserializeBytes;
use x509_cert::ext::pkix::sct::{DigitallySigned, HashAlgorithm, SignatureAlgorithm};

use super::checkpoint::Checkpoint;
use crate::format::hex::hex;
use crate::format::key::{KeyKind, PublicKey, Unproved};
use crate::text::entries;
use crate::trust::root::TransparencyLog;

/// Checks a signature of a CT log, which is of a kind that goes with its key: such a log
/// signs with ECDSA or RSA, over SHA-256.
pub fn verify(key: &PublicKey, signed: &[u8], signature: &DigitallySigned) -> Result<(), Unproved> {
    let of_key = match key.kind() {
        KeyKind::P256 | KeyKind::P384 => SignatureAlgorithm::Ecdsa,
        KeyKind::Rsa | KeyKind::RsaPss => SignatureAlgorithm::Rsa,
        KeyKind::Ed25519 => SignatureAlgorithm::Anonymous,
    };
    let algorithm = &signature.algorithm;
    if algorithm.hash != HashAlgorithm::Sha256 || algorithm.signature != of_key {
        return Err("a signature of a kind without use here".into());
    }
    Ok(key.verify(signed, signature.signature.as_slice())?)
}

/// Checks that a CT log signed a checkpoint, at a time at which its key counted.
pub fn verify_checkpoint(checkpoint: &Checkpoint, log: &TransparencyLog) -> Result<(), Unproved> {
    let key = log.key()?;
    let of_log = |name: &str, hint: &[u8; 4]| log.signs_tree_head(&checkpoint.origin, name, hint);
    let Some(signature) = checkpoint.signature_of(of_log) else {
        let id = hex(&log.id()[..log.id().len().min(4)]);
        return Err(format!("the checkpoint is not signed with the key of the CT log {id}").into());
    };
    // The time, in milliseconds, stands before the signature, which covers it.
    let read = signature.split_first_chunk::<8>().and_then(|(time, rest)| {
        let signed = DigitallySigned::tls_deserialize_exact_bytes(rest).ok()?;
        Some((u64::from_be_bytes(*time), signed))
    });
    let (time, signature) = read.ok_or("the signature of the checkpoint cannot be read")?;
    verify(&key, &tree_head(checkpoint, time), &signature)
        .map_err(|why| why.of("the signature of the checkpoint"))?;
    if !log.valid_for().holds(time / 1000) {
        let of = entries(checkpoint.size);
        return Err(format!("the checkpoint of {of} was signed when the key did not count").into());
    }
    Ok(())
}

/// What a log signs (RFC 6962, section 3.5, `TreeHeadSignature`).
fn tree_head(checkpoint: &Checkpoint, time: u64) -> Vec<u8> {
    const V1: u8 = 0;
    const TREE_HASH: u8 = 1;
    [
        &[V1, TREE_HASH],
        time.to_be_bytes().as_slice(),
        &checkpoint.size.to_be_bytes(),
        &checkpoint.root,
    ]
    .concat()
}
