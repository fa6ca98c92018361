//! What the installations of one user take that others may want: ports, and the built
//! servers. Each has a file in the cache directory, which outlives its removal.

use std::path::{Path, PathBuf};

use ring::digest;
use serde::{Deserialize, Serialize};

use super::build::cache_dir;
use crate::format::hex::hex;
use crate::state;

/// What an installation takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim {
    /// The directory of the target: `…/.workshop/local`.
    pub(crate) dir: PathBuf,
    /// The lowest of its ports.
    pub(crate) port_base: u16,
    /// The directory of the servers' programs, where it runs them on this machine.
    pub(crate) servers: Option<PathBuf>,
}

impl Claim {
    /// Those of all installations of this user. What cannot be read claims nothing.
    pub(crate) fn all() -> Vec<Claim> {
        let files = claims_dir().and_then(|dir| std::fs::read_dir(dir).ok());
        let paths = files.into_iter().flatten().flatten();
        let read = |path: PathBuf| {
            let claim: Claim = state::read_json(&path).ok()??;
            if claim.is_possible() {
                return Some(claim);
            }
            let _ = state::forget(&path);
            None
        };
        paths.filter_map(|entry| read(entry.path())).collect()
    }

    /// Remembers it. Where that fails, the ports are looked for again, no more.
    pub(crate) fn remember(&self) {
        let Some(dir) = claims_dir() else { return };
        let name = digest::digest(&digest::SHA256, self.dir.as_os_str().as_encoded_bytes());
        let path = dir.join(format!("{}.json", hex(&name.as_ref()[..8])));
        let kept = state::read_json(&path).ok().flatten();
        if kept.as_ref() != Some(self) {
            let _ = state::write_json(&path, self);
        }
    }

    /// Whether the installation is there.
    pub(crate) fn is_installed(&self) -> bool {
        self.dir.join("settings.json").exists()
    }

    /// The state directory of the installation.
    pub(crate) fn state(&self) -> &Path {
        self.dir.parent().unwrap_or(&self.dir)
    }

    /// Whether the installation is there, or can be made there again: a checkout that was
    /// deleted takes nothing any more.
    fn is_possible(&self) -> bool {
        self.state().parent().is_some_and(Path::exists)
    }
}

fn claims_dir() -> Option<PathBuf> {
    cache_dir().ok().map(|dir| dir.join("installations"))
}
