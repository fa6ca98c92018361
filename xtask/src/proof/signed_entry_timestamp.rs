//! Signed entry timestamps: Rekor v1's promise to include an entry, with the time at
//! which it took it in (OpenAPI of sigstore/rekor, `verification.signedEntryTimestamp`).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::entry::Entry;
use crate::format::hex::hex;
use crate::format::key::Unproved;
use crate::time;
use crate::trust::root::TransparencyLog;

/// Checks a promise about an entry.
pub(crate) fn verify(
    entry: &Entry,
    promise: &[u8],
    log: &TransparencyLog,
) -> Result<String, Unproved> {
    let integrated = entry.integrated.ok_or("the entry names no time")?;
    // Canonical JSON (RFC 8785) of four fields: sorted, without spaces.
    let signed = json!({
        "body": BASE64_STANDARD.encode(&entry.canonicalized_body),
        "integratedTime": integrated,
        "logID": hex(log.id()),
        "logIndex": entry.index,
    });
    log.key()?.verify(signed.to_string().as_bytes(), promise)?;
    let when = time::from_unix(integrated).unwrap_or_else(|| integrated.to_string());
    if !log.valid_for().holds(integrated) {
        let why = format!("signed for {when}, when the key of the log did not count");
        return Err(why.into());
    }
    Ok(format!(
        "Rekor promised at {when} to include entry {}",
        entry.index
    ))
}
