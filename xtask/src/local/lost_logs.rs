//! Logs, and the TUF repository, that have lost what they are kept in: a server would begin
//! them again, with the key that signed what they held before.

use std::path::Path;

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use super::Local;
use super::manifest::KeyRecipe;
use crate::fail::broken;
use crate::state;
use crate::tlog::checkpoint::Checkpoint;

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
                let lost = data.strip_prefix(&self.dir).unwrap_or(&data).join(file);
                let lost = lost.display().to_string();
                return Err(broken(format!(
                    "{} is gone or older than what was signed: {} would begin again with the same key",
                    lost.trim_end_matches('/'),
                    server.name
                ))
                .hint("put the whole directory back from a copy")
                .hint("or start over: cargo xtask uninstall --yes --keep-tools")
                .into());
            }
        }
        Ok(())
    }
}

/// The file that keeps the tree, where the log has signed more than stands in it: the
/// tree is written before each checkpoint, so it is never behind.
fn lost_tree(data: &Path) -> Result<Option<&'static str>> {
    let Some(signed) = state::read(&data.join("checkpoint"))? else {
        return Ok(None);
    };
    // One that is damaged is written again, from the tree.
    let Ok(signed) = Checkpoint::read(&String::from_utf8_lossy(&signed)) else {
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
