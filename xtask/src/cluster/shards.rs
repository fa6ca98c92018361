//! The logs on tiles that a server has written, one after the other: each under a key of
//! its own, in a directory of its own. The first is the volume itself, so that its address
//! for reading stays as it was.

use std::time::Duration;

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::Cluster;
use super::servers::{CT_TILES, CTLOG_TILES, ClusterServer, REKOR_TILES, TILES};
use crate::format::hashing::sha256_hash;
use crate::format::hex::hex;
use crate::http::Server;
use crate::state;
use crate::target::{Reached, Shard, no_shard};
use crate::tlog::checkpoint;
use crate::trust::write::log_id_of;

/// How long the look for a log may take.
const WITHIN: Duration = Duration::from_secs(10);

/// Where the directories of all logs but the first are in the volume.
const SHARDS: &str = "shards";

/// A log as the trusted root names it.
pub(super) struct KnownShard {
    /// Its id.
    id: Vec<u8>,
    /// What its directory is called.
    name: String,
}

/// What is below the directory of a log, as clients ask for it.
fn below(log: &ClusterServer) -> &'static str {
    match log.name == REKOR_TILES.name {
        true => "/api/v2",
        false => "",
    }
}

/// The directory in the volume for the log with this public key, PEM, where it is not the
/// first.
pub(super) fn directory(log: &ClusterServer, public: &str) -> Result<String> {
    let name = hex(&log_id_of(None, public.as_bytes())?);
    Ok(format!("{SHARDS}/{name}{}", below(log)))
}

/// Where the log with this name is read, below the address at which the volume is.
fn path(log: &ClusterServer, name: &str) -> String {
    format!("{}/{SHARDS}/{name}", below(log))
}

/// What hands out the tiles of a log.
fn reader(log: &ClusterServer) -> &'static ClusterServer {
    match log.name == CTLOG_TILES.name {
        true => &CT_TILES,
        false => &TILES,
    }
}

/// The logs of a server that a trusted root names, the one in use last.
fn known(root: &Value, log: &ClusterServer) -> Vec<KnownShard> {
    let url = log.url();
    let lists = ["tlogs", "ctlogs"].map(|list| root[list].as_array());
    let all = lists.into_iter().flatten().flatten();
    let own = all.filter(|known| known["baseUrl"] == url.as_str());
    let bytes = |value: &Value| BASE64_STANDARD.decode(value.as_str()?).ok();
    let read = |known: &Value| {
        Some(KnownShard {
            id: bytes(&known["logId"]["keyId"])?,
            name: hex(&sha256_hash(&[&bytes(&known["publicKey"]["rawBytes"])?])),
        })
    };
    own.filter_map(read).collect()
}

/// Whether there is a log at this address.
fn is_at(server: &Server, log: &ClusterServer) -> Result<bool> {
    let checkpoint = format!("{}/checkpoint", below(log));
    let found = server.find_at_most(&checkpoint, checkpoint::LARGEST, WITHIN)?;
    Ok(found.is_some())
}

/// The same server at a path.
fn at(server: &Server, path: &str) -> Server {
    Server {
        url: format!("{}{path}", server.url),
        ..server.clone()
    }
}

impl Cluster {
    /// The logs that a server has written or is about to, the one in use last.
    pub(super) fn shards_of(&self, log: &ClusterServer) -> Result<Vec<KnownShard>> {
        let root = self.trust_file("trusted_root.json");
        let root: Value = state::read_json(&root)?.unwrap_or_default();
        Ok(known(&root, log))
    }

    /// The number of the log with this id, from 1 on.
    pub(super) fn shard_with_id(&self, log: &ClusterServer, id: &[u8]) -> Result<Option<usize>> {
        let all = self.shards_of(log)?;
        let found = all.iter().position(|shard| shard.is(id));
        Ok(found.map(|i| i + 1))
    }

    /// Where the newest log of a server is read, below the address of its reader. Nobody
    /// is asked, so while its key turns this is the next one.
    pub(super) fn newest_path(&self, log: &ClusterServer) -> Result<String> {
        let all = self.shards_of(log)?;
        let newest = all.last().filter(|_| all.len() > 1);
        Ok(newest.map_or_else(String::new, |newest| path(log, &newest.name)))
    }

    /// Where a log of a server is read, for as long as the answer is kept.
    pub(super) fn reach_log(&self, log: &ClusterServer, shard: Shard<'_>) -> Result<Reached> {
        self.at_log(log, shard, self.reach(reader(log))?)
    }

    /// The same, where its reader is reached already.
    pub(super) fn at_log(
        &self,
        log: &ClusterServer,
        shard: Shard<'_>,
        mut reached: Reached,
    ) -> Result<Reached> {
        let all = self.shards_of(log)?;
        let chosen = match shard {
            // The last one may only be about to begin.
            Shard::Newest => &all[..],
            Shard::Number(number) if number > all.len().max(1) => {
                return Err(no_shard(number, all.len().max(1)).into());
            }
            Shard::Number(number) => {
                let first = number.saturating_sub(1);
                all.get(first..number).unwrap_or_default()
            }
            Shard::WithId(id) => {
                let found = all.iter().find(|shard| shard.is(id));
                found.map_or(&all[..], std::slice::from_ref)
            }
        };
        for shard in chosen.iter().rev() {
            let there = at(&reached.server, &path(log, &shard.name));
            if is_at(&there, log)? {
                reached.server = there;
                break;
            }
        }
        Ok(reached)
    }

    /// The numbers of the logs of a server that have ended.
    pub(super) fn ended_logs(&self, log: &ClusterServer) -> Result<Vec<usize>> {
        let all = self.shards_of(log)?;
        if all.len() < 2 {
            return Ok(Vec::new());
        }
        let reached = self.reach(reader(log))?;
        let mut newest = all.len();
        while newest > 1 && !is_at(&at(&reached.server, &path(log, &all[newest - 1].name)), log)? {
            newest -= 1;
        }
        Ok((1..newest).collect())
    }
}

impl KnownShard {
    /// Whether this is its id, or the four bytes with which it begins.
    fn is(&self, id: &[u8]) -> bool {
        self.id == id || id.len() == 4 && self.id.starts_with(id)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_log_is_read_where_its_directory_is() {
        let log = |url: String, key: &str, id: &str| json!({"baseUrl": url, "publicKey": {"rawBytes": key}, "logId": {"keyId": id}});
        let root = json!({
            "tlogs": [
                log(REKOR_TILES.url(), "AAAA", "AQIDBAU="),
                log("http://elsewhere".to_owned(), "AAAA", "AAAAAAA="),
                log(REKOR_TILES.url(), "AAAB", "AgMEBQY="),
            ],
            "ctlogs": [log(CTLOG_TILES.url(), "AAAC", "AAAC")],
        });
        let rekor = known(&root, &REKOR_TILES);
        assert_eq!(rekor.len(), 2);
        assert!(rekor[1].is(&[2, 3, 4, 5]) && rekor[1].is(&[2, 3, 4, 5, 6]));
        assert!(!rekor[0].is(&[2, 3, 4, 5]) && !rekor[0].is(&[1, 2]));
        // What follows the volume in the one is what follows the address in the other.
        let read = path(&REKOR_TILES, &rekor[1].name) + below(&REKOR_TILES);
        let written = format!("/api/v2/{SHARDS}/{}/api/v2", rekor[1].name);
        assert_eq!(read, written);
        let ct = known(&root, &CTLOG_TILES);
        assert_eq!(
            path(&CTLOG_TILES, &ct[0].name),
            format!("/{SHARDS}/{}", ct[0].name)
        );
        assert!(known(&json!(null), &REKOR_TILES).is_empty());
    }
}
