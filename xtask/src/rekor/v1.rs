//! Rekor v1: an API (OpenAPI of sigstore/rekor, `/api/v1/log/entries`).

use std::time::Duration;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::{Entry, Version, Which};
use crate::fail::{broken, not_so};
use crate::http::Server;

const WITHIN: Duration = Duration::from_secs(10);

pub fn size(server: &Server) -> Result<u64> {
    json(&server.get("/api/v1/log", WITHIN)?)?["treeSize"]
        .as_u64()
        .context(NOT_REKOR)
}

pub fn fetch(server: &Server, which: &Which) -> Result<Entry> {
    let entries = "/api/v1/log/entries";
    let found = match which {
        // The API counts in signed numbers and calls larger ones malformed.
        Which::Index(index) if i64::try_from(*index).is_err() => None,
        Which::Index(index) => server.find(&format!("{entries}?logIndex={index}"), WITHIN)?,
        Which::Uuid(uuid) => {
            if !matches!(uuid.len(), 64 | 80) || !uuid.bytes().all(|byte| byte.is_ascii_hexdigit())
            {
                return Err(broken(format!(
                    "{uuid:?} is not a UUID of Rekor: that is 64 or 80 hexadecimal digits"
                ))
                .into());
            }
            server.find(&format!("{entries}/{uuid}"), WITHIN)?
        }
    };
    let Some(found) = found else {
        let size = size(server)?;
        let which = match which {
            Which::Index(index) => format!("index {index}"),
            Which::Uuid(uuid) => format!("UUID {uuid}"),
        };
        return Err(not_so(format!(
            "Rekor v1 has no entry with {which}; it holds {size} entries"
        ))
        .into());
    };
    let raw = json(&found)?;
    let (uuid, entry) = raw
        .as_object()
        .and_then(|entries| entries.iter().next())
        .context(NOT_REKOR)?;
    let body = BASE64_STANDARD
        .decode(entry["body"].as_str().context(NOT_REKOR)?)
        .context(NOT_REKOR)?;
    Ok(Entry {
        rekor: Version::V1,
        index: entry["logIndex"].as_u64().context(NOT_REKOR)?,
        uuid: Some(uuid.clone()),
        integrated: entry["integratedTime"].as_u64(),
        body: json(&body)?,
        raw: raw.clone(),
    })
}

const NOT_REKOR: &str = "what answers there is not Rekor v1";

fn json(text: &[u8]) -> Result<Value> {
    serde_json::from_slice(text).map_err(|error| {
        broken(format!("{NOT_REKOR}: {error}"))
            .hint("cargo xtask status")
            .into()
    })
}
