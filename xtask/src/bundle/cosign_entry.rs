//! The log entry as cosign keeps it outside of bundles: an entry of Rekor v1, with its promise
//! and without a proof (`RekorBundle` in cosign's `pkg/cosign/bundle`).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::entry::{Entry, Version};
use crate::format::hex::unhex;
use crate::format::protojson::strict_json;

/// Reads one.
///
/// # Errors
/// What is missing, or cannot be read.
pub(crate) fn cosign_entry(recorded: &Value) -> Result<Entry, String> {
    let payload = &recorded["Payload"];
    let decoded = |value: &Value| BASE64_STANDARD.decode(value.as_str()?).ok();
    let canonicalized_body = decoded(&payload["body"]).ok_or("no entry")?;
    let body = strict_json(&canonicalized_body).map_err(|error| error.to_string())?;
    Ok(Entry {
        rekor: Version::V1,
        index: payload["logIndex"].as_u64().ok_or("no log index")?,
        uuid: None,
        integrated: payload["integratedTime"].as_u64(),
        log_id: payload["logID"].as_str().and_then(unhex),
        raw: body.clone(),
        body,
        canonicalized_body,
        promise: decoded(&recorded["SignedEntryTimestamp"]),
        proof: None,
    })
}
