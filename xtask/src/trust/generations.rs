//! The generation of a trusted root: how often that of an installation has changed, in
//! `trust/generation.json`.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::format::hashing::sha256_hash;
use crate::format::hex::hex;
use crate::state;
use crate::time;

/// Where the count is, and what is counted, in the directory of a target.
const COUNT: &str = "trust/generation.json";
const ROOT: &str = "trust/trusted_root.json";

/// The trusted root that is in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Generation {
    /// Its number, from 1 on.
    pub generation: u64,
    /// Since when it is there, RFC 3339; `None` where that was not noted.
    pub since: Option<String>,
    /// Its SHA-256, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

impl Generation {
    /// That of the target in a directory; `None` where it has no trusted root.
    pub(crate) fn read(dir: &Path) -> Option<Generation> {
        if !dir.join(ROOT).exists() {
            return None;
        }
        // Before they were counted, there was one.
        let first = Generation {
            generation: 1,
            since: None,
            sha256: None,
        };
        Some(counted(dir).unwrap_or(first))
    }

    /// Counts a trusted root that is about to be written; one that was counted before it
    /// could be written is not counted again.
    pub(crate) fn count(dir: &Path, root: &Value) -> Result<()> {
        let counted = counted(dir);
        let before: Option<Value> = state::read_json(&dir.join(ROOT)).unwrap_or_default();
        let sha256 = hex(&sha256_hash(&[root.to_string().as_bytes()]));
        let is_known = match &counted {
            Some(counted) => counted.sha256.as_ref() == Some(&sha256),
            None => before.as_ref() == Some(root),
        };
        if is_known {
            return Ok(());
        }
        let former = counted.map_or(u64::from(before.is_some()), |counted| counted.generation);
        let now = Generation {
            generation: former + 1,
            since: Some(time::now()),
            sha256: Some(sha256),
        };
        state::write_json(&dir.join(COUNT), &now)
    }

    /// What others are told of it.
    pub(crate) fn told(self) -> Generation {
        Generation {
            sha256: None,
            ..self
        }
    }
}

/// What was counted; of a file that is damaged, nothing: the count only informs.
fn counted(dir: &Path) -> Option<Generation> {
    state::read_json(&dir.join(COUNT)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_change_is_counted_once() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path();
        let number = || Generation::read(dir).map(|now| now.generation);
        let write = |root: &Value| state::write_json(&dir.join(ROOT), root).unwrap();
        assert_eq!(number(), None);
        for (i, root) in [json!({"a": 1}), json!({"a": 2}), json!({"a": 1})]
            .iter()
            .enumerate()
        {
            // Once more, as after an interruption.
            Generation::count(dir, root).unwrap();
            Generation::count(dir, root).unwrap();
            write(root);
            Generation::count(dir, root).unwrap();
            assert_eq!(number(), Some(i as u64 + 1));
        }
    }

    /// An installation of before there was a count.
    #[test]
    fn what_was_not_counted_is_the_first() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path();
        let root = json!({"a": 1});
        state::write_json(&dir.join(ROOT), &root).unwrap();
        Generation::count(dir, &root).unwrap();
        let first = Generation::read(dir).unwrap();
        assert_eq!((first.generation, first.since), (1, None));
        Generation::count(dir, &json!({"a": 2})).unwrap();
        assert_eq!(Generation::read(dir).unwrap().generation, 2);
    }
}
