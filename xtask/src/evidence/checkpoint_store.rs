//! The memory of checkpoints: the last one seen of each log. A log that signs two
//! that do not extend each other has shown two people two histories, and both
//! checkpoints are the evidence.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::fail::{Fail, broken, not_so};
use crate::format::hashing::sha256_hash;
use crate::format::hex::hex;
use crate::state;
use crate::text::entries;
use crate::text::quote;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::merkle::{self, Hash};

/// The last checkpoints seen, a file a log in one directory. They are read before a
/// log is asked for a new one, so an honest log's new one is never older.
///
/// A log is known by its id and the [name](log_name) in its checkpoints: two shards may be
/// signed with one key, and are no two histories of one log.
pub(crate) struct CheckpointStore {
    dir: PathBuf,
    last: BTreeMap<(String, String), Kept>,
}

/// A checkpoint that is kept, and where.
struct Kept {
    file: PathBuf,
    checkpoint: Checkpoint,
}

/// Whether a new checkpoint of a log is consistent with what was seen of it before.
#[derive(Debug, Clone)]
pub(crate) enum Consistency {
    /// It extends what was seen, with the words for a person.
    Extends(String),
    /// It does not: the log shows two histories. In a few words, and as a report with
    /// both checkpoints.
    SplitView {
        /// Why not.
        why: String,
        /// The report.
        report: Fail,
    },
}

/// What a log is called among those of one key: its origin, of which in Rekor v1 only the
/// id of the tree stays when its server moves to another host.
fn log_name(checkpoint: &Checkpoint) -> &str {
    let origin = checkpoint.origin.as_str();
    match origin.rsplit_once(" - ") {
        Some((_, tree)) if tree.parse::<u64>().is_ok() => tree,
        _ => origin,
    }
}

/// Whether this is the id of a tree that Trillian chose: at random, from all that are
/// positive. One that was counted is another tree under another key.
fn is_random_tree(name: &str) -> bool {
    name.parse::<u64>().is_ok_and(|id| id > u64::from(u32::MAX))
}

impl CheckpointStore {
    /// Reads what is kept below a directory.
    pub(crate) fn read(dir: &Path) -> Result<CheckpointStore> {
        let dir = dir.join("checkpoints");
        let mut last = BTreeMap::new();
        let files = match std::fs::read_dir(&dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            files => Some(files.with_context(|| format!("read {}", dir.display()))?),
        };
        for file in files.into_iter().flatten() {
            let name = file?.file_name().to_string_lossy().into_owned();
            let Some(log) = name.strip_suffix(".checkpoint") else {
                continue;
            };
            let id = log.split_once('-').map_or(log, |(id, _)| id);
            let file = dir.join(&name);
            let text = state::read(&file)?.unwrap_or_default();
            let text = String::from_utf8(text).map_err(|error| error.to_string());
            let checkpoint = text
                .and_then(|text| Checkpoint::read(&text))
                .map_err(|why| {
                    let path = quote(&file.to_string_lossy());
                    broken(format!(
                        "the kept checkpoint {} is damaged: {why}",
                        file.display()
                    ))
                    .hint(format!("begin again with the next one: rm {path}"))
                })?;
            let log = (id.to_owned(), log_name(&checkpoint).to_owned());
            last.insert(log, Kept { file, checkpoint });
        }
        Ok(CheckpointStore { dir, last })
    }

    /// Whether no log was seen yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.last.is_empty()
    }

    /// The last checkpoint seen of the log that signed this one: under this key, else of
    /// the same tree under a former one.
    fn last(&self, log_id: &[u8], new: &Checkpoint) -> Option<&Kept> {
        let log = (hex(log_id), log_name(new).to_owned());
        self.last.get(&log).or_else(|| {
            let name = log_name(new);
            let all = self.last.iter().filter(|((_, of), _)| of == name);
            let former = all.filter(|_| is_random_tree(name)).map(|(_, kept)| kept);
            former.max_by_key(|kept| kept.checkpoint.size)
        })
    }

    /// Compares a checkpoint, whose signature was verified, with the last one of its
    /// log, and keeps it where it extends that. `prove` fetches the hashes of a
    /// consistency proof from a size to that of the checkpoint.
    pub(crate) fn compare(
        &self,
        log_id: &[u8],
        new: &Checkpoint,
        prove: impl FnOnce(u64) -> Result<Vec<Hash>>,
    ) -> Result<Consistency> {
        let Some(Kept {
            checkpoint: old, ..
        }) = self.last(log_id, new)
        else {
            self.keep(log_id, new)?;
            return Ok(Consistency::Extends(format!(
                "the first checkpoint seen of this log, of {}; kept for the next time",
                entries(new.size)
            )));
        };
        let proof = if old.size == 0 || old.size >= new.size {
            Vec::new()
        } else {
            prove(old.size)?
        };
        match merkle::verify_consistency((old.size, &old.root), (new.size, &new.root), &proof) {
            Ok(()) => {
                self.keep(log_id, new)?;
                Ok(Consistency::Extends(match new.size - old.size {
                    0 => format!("the same {} as when last seen", entries(old.size)),
                    more => format!(
                        "begins with the {} last seen; {more} more",
                        entries(old.size)
                    ),
                }))
            }
            Err(why) => {
                let conflicting = self.file(log_id, new, "conflicting");
                state::write(&conflicting, new.text.as_bytes(), 0o600)?;
                let report = self.split_view(log_id, new, &why);
                Ok(Consistency::SplitView { why, report })
            }
        }
    }

    /// The failure that reports two histories, with both checkpoints.
    fn split_view(&self, log_id: &[u8], new: &Checkpoint, why: &str) -> Fail {
        let old = self.last(log_id, new);
        let lines = |title: &str, text: &str| {
            let lines = text.lines().map(|line| format!("  {line}"));
            std::iter::once(title.to_owned())
                .chain(lines)
                .collect::<Vec<_>>()
        };
        let seen = old.map_or("", |old| &old.checkpoint.text);
        let mut tail = lines("the checkpoint that was seen before:", seen);
        tail.extend(lines("the checkpoint that the log signs now:", &new.text));
        let conflicting = self.file(log_id, new, "conflicting");
        let before = old.map_or_else(
            || conflicting.with_extension("checkpoint"),
            |old| old.file.clone(),
        );
        let [before, conflicting] =
            [before, conflicting].map(|file| quote(&file.to_string_lossy()));
        not_so(format!("the log has two histories: {why}"))
            .tail(tail)
            .hint(format!(
                "both are kept as evidence: {before} and {conflicting}"
            ))
            .hint(format!(
                "if you know why the log began again, begin again as well: rm {before}"
            ))
    }

    /// Where something about a log is kept: below its id, and where another log with
    /// that id is kept there, with a hash of the origin as well.
    fn file(&self, log_id: &[u8], new: &Checkpoint, what: &str) -> PathBuf {
        let id = hex(log_id);
        let log = (id.clone(), log_name(new).to_owned());
        let first = self.dir.join(format!("{id}.checkpoint"));
        let taken = self.last.values().any(|kept| kept.file == first);
        let file = match self.last.get(&log) {
            Some(kept) => kept.file.clone(),
            None if taken => {
                let origin = hex(&sha256_hash(&[new.origin.as_bytes()])[..8]);
                self.dir.join(format!("{id}-{origin}.checkpoint"))
            }
            None => first,
        };
        file.with_extension(what)
    }

    /// Keeps a checkpoint unless another command kept one of a larger tree meanwhile.
    fn keep(&self, log_id: &[u8], new: &Checkpoint) -> Result<()> {
        let own = self.last.get(&(hex(log_id), log_name(new).to_owned()));
        if own.is_some_and(|own| own.checkpoint.size == new.size) {
            return Ok(());
        }
        let file = self.file(log_id, new, "checkpoint");
        state::make_dir(&self.dir)?;
        let _held = state::exclusive(&self.file(log_id, new, "lock"))?;
        let now = state::read(&file)?
            .and_then(|text| Checkpoint::read(&String::from_utf8_lossy(&text)).ok());
        // Of another log where two commands saw the first of each at once: the next
        // command finds it a place.
        if now.is_none_or(|now| log_name(&now) == log_name(new) && now.size < new.size) {
            state::write(&file, new.text.as_bytes(), 0o600)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(origin: &str, size: u64) -> Checkpoint {
        let root = if size == 0 {
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        } else {
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        };
        let signed = "\u{2014} a AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        Checkpoint::read(&format!("{origin}\n{size}\n{root}\n\n{signed}\n")).unwrap()
    }

    /// A log of Trillian whose key turns keeps its tree, and so is held to what it showed.
    /// A tree that is only counted is another one under another key.
    #[test]
    fn a_key_that_turns_is_no_new_history() {
        let dir = tempfile::tempdir().unwrap();
        let compare = |key: u8, new: &Checkpoint| {
            let store = CheckpointStore::read(dir.path()).unwrap();
            store.compare(&[key], new, |_| Ok(Vec::new())).unwrap()
        };
        let tree = "rekor.example.com - 6834102940572382133";
        for new in [checkpoint(tree, 4), checkpoint("127.0.0.1 - 1", 4)] {
            assert!(matches!(compare(1, &new), Consistency::Extends(_)));
        }
        let Consistency::Extends(said) = compare(2, &checkpoint(tree, 4)) else {
            panic!("the same tree");
        };
        assert!(said.starts_with("the same 4 entries"), "{said}");
        let Consistency::SplitView { report, .. } = compare(3, &checkpoint(tree, 0)) else {
            panic!("a tree that lost its entries");
        };
        assert!(report.hints[0].contains(".checkpoint and "), "{report:?}");
        let other = compare(2, &checkpoint("127.0.0.1 - 1", 0));
        assert!(matches!(other, Consistency::Extends(_)), "{other:?}");
    }

    /// Rekor v1 was once called otherwise here: what it had shown still counts, and another
    /// tree of the same key is another log.
    #[test]
    fn a_log_that_moves_is_held_to_what_it_showed() {
        let dir = tempfile::tempdir().unwrap();
        let compare = |new: &Checkpoint| {
            let store = CheckpointStore::read(dir.path()).unwrap();
            store.compare(&[1], new, |_| Ok(Vec::new())).unwrap()
        };
        let extends = |found: Consistency| match found {
            Consistency::Extends(said) => said,
            Consistency::SplitView { why, .. } => panic!("{why}"),
        };
        let first = extends(compare(&checkpoint("rekor-v1.workshop - 1", 4)));
        assert!(first.starts_with("the first checkpoint"), "{first}");
        let moved = extends(compare(&checkpoint("127.0.0.1 - 1", 4)));
        assert!(moved.starts_with("the same 4 entries"), "{moved}");
        let other = extends(compare(&checkpoint("127.0.0.1 - 2", 2)));
        assert!(other.starts_with("the first checkpoint"), "{other}");
        assert!(matches!(
            compare(&checkpoint("127.0.0.1 - 1", 0)),
            Consistency::SplitView { .. }
        ));
    }
}
