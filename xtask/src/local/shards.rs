//! Shards: Trillian keeps its trees in memory, so each of its runs is a new log
//! with a new key. The trusted root keeps the keys of them all, or what was
//! signed before would stop verifying.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::keys::KeyFile;
use super::settings::{Period, Settings};
use super::{Local, process};
use crate::entry::Version;
use crate::fail::broken;
use crate::{state, time};

/// One log, from the start of a Trillian to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogShard {
    /// The name of the server whose log it is.
    pub log: String,
    /// Its number among those of the same log, from 1; its key is
    /// `keys/LOG-NUMBER.key`.
    pub number: usize,
    /// The id of its tree in Trillian.
    pub tree: String,
    /// The run of Trillian that holds it.
    pub trillian: String,
    /// When its key was in use.
    #[serde(flatten)]
    pub period: Period,
}

impl LogShard {
    /// Its key without the ending: `keys/ctlog-1`.
    pub(crate) fn key(&self) -> String {
        format!("keys/{}-{}", self.log, self.number)
    }
}

impl Local {
    /// The shard of a version of Rekor that the running Trillian holds, where Trillian
    /// holds its log.
    pub(crate) fn shard_of(&self, rekor: Version) -> Result<Option<LogShard>> {
        let log = self.manifest.tree_of(rekor);
        match log.and_then(|log| Some((log, log.tree.as_ref()?))) {
            None => Ok(None),
            Some((log, tree)) => current(&self.dir, &log.name, &tree.held_by),
        }
    }
}

/// All shards that there ever were, oldest first.
pub(crate) fn read(dir: &Path) -> Result<Vec<LogShard>> {
    Ok(state::read_json(&dir.join("shards.json"))?.unwrap_or_default())
}

/// The settings, with what was kept elsewhere once: until the CT log was kept on disk,
/// each start of Trillian began a shard of it with a key of its own, and the first key
/// of the log on disk comes after those.
pub(crate) fn carried_over(mut settings: Settings, dir: &Path) -> Result<Settings> {
    if settings.ctlog.is_empty() {
        let shards = read(dir)?.into_iter();
        let of_ct_log = shards.filter(|shard| shard.log == "ctlog");
        settings.ctlog = of_ct_log.map(|shard| shard.period).collect();
        let next = settings.ctlog.len() + 1;
        Settings::renew(&mut settings.ctlog, next);
    }
    Ok(settings)
}

/// The shard of a log that the running Trillian holds, the server of this name.
pub(crate) fn current(dir: &Path, log: &str, held_by: &str) -> Result<Option<LogShard>> {
    let Some(trillian) = process::running(dir, held_by)? else {
        return Ok(None);
    };
    let held = |shard: &LogShard| shard.log == log && shard.trillian == trillian.instance();
    Ok(read(dir)?.into_iter().rev().find(held))
}

/// Makes a new tree of the running Trillian the current shard of a log: closes
/// the one before, makes a key, writes the log's configuration.
pub(crate) fn open(local: &Local, log: &str, tree: &str) -> Result<()> {
    tree.parse::<i64>()
        .map_err(|_| broken(format!("{tree:?} is not the id of a tree")))?;
    let row = local.manifest.server(log)?.tree.as_ref();
    let row = row.context("a log without a tree")?;
    let trillian = process::running(&local.dir, &row.held_by)?
        .ok_or_else(|| broken("Trillian does not run").hint("cargo xtask start"))?
        .instance();
    add(&local.dir, log, tree, trillian, |shard| {
        local.make_keys(&[KeyFile {
            kind: row.key,
            stem: shard.key(),
        }])?;
        let key = format!("{}.key", shard.key());
        local.render(&row.config, &[("tree", tree), ("key", &key)])
    })
}

/// Adds a shard to the history once `prepare` has made what it needs. The CT log
/// and Rekor v1 get theirs at the same time, so the history is held meanwhile.
fn add(
    dir: &Path,
    log: &str,
    tree: &str,
    trillian: String,
    prepare: impl Fn(&LogShard) -> Result<()>,
) -> Result<()> {
    let _held = state::exclusive(&dir.join("shards.lock"))?;
    let mut shards = read(dir)?;
    let number = shards.iter().filter(|shard| shard.log == log).count() + 1;
    if let Some(last) = shards.iter_mut().rev().find(|shard| shard.log == log) {
        last.period.until.get_or_insert_with(time::soon);
    }
    let shard = LogShard {
        log: log.to_owned(),
        number,
        tree: tree.to_owned(),
        trillian,
        period: Period::from_now(),
    };
    prepare(&shard)?;
    shards.push(shard);
    state::write_json(&dir.join("shards.json"), &shards)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both logs once opened their shards at the same time, and one was lost.
    #[test]
    fn shards_opened_side_by_side_are_all_kept() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for i in 0..8 {
                let (dir, log) = (dir.path(), if i % 2 == 0 { "ctlog" } else { "rekor-v1" });
                scope.spawn(move || {
                    add(dir, log, &i.to_string(), "run".into(), |_| Ok(())).unwrap()
                });
            }
        });
        let shards = read(dir.path()).unwrap();
        for log in ["ctlog", "rekor-v1"] {
            let numbers: Vec<_> = shards
                .iter()
                .filter(|shard| shard.log == log)
                .map(|shard| shard.number)
                .collect();
            assert_eq!(numbers, [1, 2, 3, 4]);
            let open = shards
                .iter()
                .filter(|shard| shard.log == log && shard.period.until.is_none())
                .count();
            assert_eq!(open, 1, "only the last shard of a log is open");
        }
    }
}
