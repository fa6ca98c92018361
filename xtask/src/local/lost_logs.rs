//! Logs, and the TUF repository, that have lost what they are kept in: a server would begin
//! them again, with the key that signed what they held before.

use std::path::Path;

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use super::Local;
use super::manifest::KeyRecipe;
use crate::fail::{Fail, broken};
use crate::state;
use crate::text::short;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::merkle::{self, Nodes};
use crate::tlog::tiles::{Source, TileTree};

/// Where a server that writes tiles keeps how far its tree is; it begins an empty one
/// where this file is missing.
const TREE: &str = ".state/treeState";

/// What stands in that file.
#[derive(Deserialize)]
struct Tree {
    size: u64,
    root: String,
}

impl Local {
    /// Makes the directories of the logs and of the TUF repository, and checks that none
    /// would begin again: whoever saw it before would find that it has two histories.
    pub(crate) fn begin_logs(&self) -> Result<()> {
        for server in &self.manifest.servers {
            let (Some(key), Some(data)) = (self.key(server)?, self.data(server)?) else {
                continue;
            };
            // What the others keep can be made again.
            if matches!(key.kind, KeyRecipe::Tls | KeyRecipe::Users) {
                continue;
            }
            let made = self.dir.join(key.public()).exists();
            let within = data.strip_prefix(&self.dir).unwrap_or(&data);
            let lost = if data.exists() {
                lost_tree(&data)?
            } else if self.installed && made {
                Some("")
            } else {
                // It comes before the key: where that is there, one that is missing is lost.
                state::make_dir(&data)?;
                None
            };
            if let Some(file) = lost {
                let lost = within.join(file).display().to_string();
                return Err(put_back(format!(
                    "{} is gone or older than what was signed: {} would begin again with the same key",
                    lost.trim_end_matches('/'),
                    server.name
                ))
                .into());
            }
            if let Some(why) = damaged_tiles(&data)? {
                let within = within.display();
                return Err(put_back(format!(
                    "the tiles in {within} are not what was signed: {why}"
                ))
                .into());
            }
        }
        Ok(())
    }
}

fn put_back(what: String) -> Fail {
    broken(what)
        .hint("put the whole directory back from a copy")
        .hint("or start over: cargo xtask uninstall --yes --keep-tools")
}

/// The tiles of a log on disk.
struct TileFiles<'a>(&'a Path);

impl Source for TileFiles<'_> {
    fn find(&self, path: &str, _: u64) -> Result<Option<Vec<u8>>, Fail> {
        state::read(&self.0.join(path)).map_err(|error| Fail::from_error(&error))
    }
}

/// What is wrong with the newest tiles of a log, on each level: from the last entry they
/// lead to the root that was signed. Nobody else would notice before a proof is asked for,
/// and what the log adds it would add to other hashes.
fn damaged_tiles(data: &Path) -> Result<Option<String>> {
    let Some(signed) = signed_checkpoint(data)?.filter(|signed| signed.size > 0) else {
        return Ok(None);
    };
    let (last, size) = (signed.size - 1, signed.size);
    let mut tree = TileTree::new(TileFiles(data), size);
    let root = tree.node(0, last).and_then(|leaf| {
        let hashes = merkle::inclusion_proof(&mut tree, last, size)?;
        merkle::root_from_inclusion_proof(leaf, last, size, &hashes).map_err(broken)
    });
    Ok(match root {
        Ok(root) if root == signed.root => None,
        Ok(root) => Some(format!(
            "they lead to the root {}, not {}",
            short(&root),
            short(&signed.root)
        )),
        Err(fail) => Some(fail.what),
    })
}

/// The checkpoint that a log signed last. One that is damaged is written again, from the
/// tree.
fn signed_checkpoint(data: &Path) -> Result<Option<Checkpoint>> {
    let signed = state::read(&data.join("checkpoint"))?;
    Ok(signed.and_then(|text| Checkpoint::read(&String::from_utf8_lossy(&text)).ok()))
}

/// The file that keeps the tree, where the log has signed more than stands in it: the
/// tree is written before each checkpoint, so it is never behind.
fn lost_tree(data: &Path) -> Result<Option<&'static str>> {
    let Some(signed) = signed_checkpoint(data)? else {
        return Ok(None);
    };
    let tree = state::read(&data.join(TREE))?;
    let tree = tree.and_then(|tree| serde_json::from_slice::<Tree>(&tree).ok());
    let holds = tree.is_some_and(|tree| {
        tree.size > signed.size
            || tree.size == signed.size && tree.root == BASE64_STANDARD.encode(signed.root)
    });
    Ok((!holds).then_some(TREE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_behind_its_checkpoint_is_lost() {
        let temp = tempfile::tempdir().unwrap();
        let data = temp.path();
        let root = BASE64_STANDARD.encode([7; 32]);
        let lost = |tree: Option<String>| {
            std::fs::create_dir_all(data.join(".state")).unwrap();
            match tree {
                Some(tree) => std::fs::write(data.join(TREE), tree).unwrap(),
                None => drop(std::fs::remove_file(data.join(TREE))),
            }
            lost_tree(data).unwrap().is_some()
        };
        let tree = |size: u64, root: &str| Some(format!(r#"{{"size":{size},"root":"{root}"}}"#));
        assert!(!lost(None), "nothing was signed");
        let checkpoint = format!("log\n4\n{root}\n\n— log AAAAAAAA\n");
        std::fs::write(data.join("checkpoint"), checkpoint).unwrap();
        assert!(!lost(tree(4, &root)));
        assert!(!lost(tree(5, "another")), "the next checkpoint is due");
        assert!(lost(tree(3, &root)), "an older copy");
        assert!(lost(tree(4, "another")));
        assert!(lost(Some("{".to_owned())));
        assert!(lost(None));
    }
}
