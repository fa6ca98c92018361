//! Rekor v1: an API (OpenAPI of sigstore/rekor, `/api/v1/log`).

use std::time::Duration;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::entries::{LoggedEntry, LoggedTree};
use super::{Which, missing};
use crate::entry::{Entry, InclusionProof, Version};
use crate::fail::broken;
use crate::format::hex::unhex;
use crate::format::protojson::strict_json;
use crate::http::Server;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::merkle::{self, Hash};

const WITHIN: Duration = Duration::from_secs(10);

pub(crate) fn size(server: &Server) -> Result<u64> {
    json(&server.get("/api/v1/log", WITHIN)?)?["treeSize"]
        .as_u64()
        .context(NOT_REKOR)
}

pub(crate) fn fetch(server: &Server, which: &Which) -> Result<Entry> {
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
        let which = match which {
            Which::Index(index) => format!("index {index}"),
            Which::Uuid(uuid) => format!("UUID {uuid}"),
        };
        return Err(missing(Version::V1, &which, size(server)?));
    };
    let entry = read(&found)?;
    // Nothing else would show that an answer is about another entry, or that its UUID,
    // which ends with the hash of the entry, is made up.
    let leaf = merkle::leaf_hash(&entry.canonicalized_body);
    let hashes_to = |uuid: &str| unhex(uuid).is_some_and(|uuid| uuid.ends_with(&leaf));
    let asked = entry.uuid.as_deref().is_some_and(hashes_to)
        && match which {
            Which::Index(index) => entry.index == *index,
            Which::Uuid(uuid) => hashes_to(uuid),
        };
    if !asked {
        return Err(broken("Rekor v1 answers with another entry than was asked for").into());
    }
    Ok(entry)
}

/// Reads an answer about one entry.
pub(crate) fn read(text: &[u8]) -> Result<Entry> {
    let raw = json(text)?;
    let (uuid, entry) = raw
        .as_object()
        .filter(|entries| entries.len() == 1)
        .and_then(|entries| entries.iter().next())
        .context(NOT_REKOR)?;
    let decoded = |value: &Value| {
        value
            .as_str()
            .and_then(|text| BASE64_STANDARD.decode(text).ok())
    };
    // The leaf of the log is the hash of these bytes, so they are kept as they came.
    let canonicalized_body = decoded(&entry["body"]).context(NOT_REKOR)?;
    let verification = &entry["verification"];
    let proof = &verification["inclusionProof"];
    let proof = match proof {
        Value::Null => None,
        proof => Some(InclusionProof {
            index: proof["logIndex"].as_u64().context(NOT_REKOR)?,
            size: proof["treeSize"].as_u64().context(NOT_REKOR)?,
            root: hash(&proof["rootHash"])?,
            hashes: hashes(&proof["hashes"])?,
            checkpoint: proof["checkpoint"].as_str().map(str::to_owned),
        }),
    };
    Ok(Entry {
        rekor: Version::V1,
        index: entry["logIndex"].as_u64().context(NOT_REKOR)?,
        uuid: Some(uuid.clone()),
        integrated: entry["integratedTime"].as_u64(),
        log_id: match &entry["logID"] {
            Value::Null => None,
            id => Some(id.as_str().and_then(unhex).context(NOT_REKOR)?),
        },
        body: json(&canonicalized_body)?,
        canonicalized_body,
        promise: decoded(&verification["signedEntryTimestamp"]),
        proof,
        raw: raw.clone(),
    })
}

/// The shards of the log: those that ended, and the one that grows.
pub(super) fn trees(server: &Server) -> Result<Vec<LoggedTree>> {
    let log = json(&server.get("/api/v1/log", WITHIN)?)?;
    let ended = log["inactiveShards"].as_array();
    let mut trees = Vec::new();
    let mut first = 0u64;
    for shard in ended.into_iter().flatten().chain([&log]) {
        let text = shard["signedTreeHead"].as_str().context(NOT_REKOR)?;
        let checkpoint = Checkpoint::read(text).map_err(|why| {
            broken(format!(
                "the signed tree head of Rekor v1 is damaged: {why}"
            ))
        })?;
        let size = checkpoint.size;
        trees.push(LoggedTree { checkpoint, first });
        first = first.checked_add(size).context(NOT_REKOR)?;
    }
    Ok(trees)
}

/// Reads the entries of a shard from the one with this number in it on.
pub(super) fn each(
    server: &Server,
    tree: &LoggedTree,
    from: u64,
    see: &mut dyn FnMut(LoggedEntry) -> Result<()>,
) -> Result<()> {
    for place in from..tree.checkpoint.size {
        let index = tree.first.checked_add(place).context(NOT_REKOR)?;
        let entry = fetch(server, &Which::Index(index))?;
        see(LoggedEntry {
            index,
            integrated: entry.integrated,
            canonicalized_body: entry.canonicalized_body,
        })?;
    }
    Ok(())
}

pub(crate) fn consistency(
    server: &Server,
    origin: &str,
    first: u64,
    second: u64,
) -> Result<Vec<Hash>> {
    // The origin is the name of the log and the id of the tree of this shard.
    let tree = match origin.rsplit_once(" - ") {
        Some((_, tree)) if tree.parse::<u64>().is_ok() => format!("&treeID={tree}"),
        _ => String::new(),
    };
    let path = format!("/api/v1/log/proof?firstSize={first}&lastSize={second}{tree}");
    hashes(&json(&server.get(&path, WITHIN)?)?["hashes"])
}

const NOT_REKOR: &str = "what answers there is not Rekor v1";

/// The hashes of a proof. Rekor leaves out a list that is empty.
fn hashes(list: &Value) -> Result<Vec<Hash>> {
    let list = match list {
        Value::Null => return Ok(Vec::new()),
        list => list.as_array().context(NOT_REKOR)?,
    };
    if list.len() > merkle::LONGEST {
        return Err(broken("a proof of Rekor v1 is longer than any tree is deep").into());
    }
    list.iter().map(hash).collect()
}

fn hash(value: &Value) -> Result<Hash> {
    let bytes = value.as_str().and_then(unhex).context(NOT_REKOR)?;
    bytes.try_into().ok().context(NOT_REKOR)
}

fn json(text: &[u8]) -> Result<Value> {
    strict_json(text).map_err(|error| {
        broken(format!("{NOT_REKOR}: {error}"))
            .hint("cargo xtask status")
            .into()
    })
}
