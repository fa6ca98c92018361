//! Another key for all roles of the TUF repository but the root, which names it.

use anyhow::{Context, Result};

use super::{KEY, Publisher, ROOT_KEY};
use crate::cluster::Cluster;
use crate::exec::output_of;
use crate::fail::broken;
use crate::local::build::ServerBuild;
use crate::plan::Command;
use crate::words;

impl Cluster {
    /// Fails where the root of the repository cannot be signed here: with another key for
    /// its roles it is another one.
    pub(in crate::cluster) fn require_tuf_root_key(&self) -> Result<()> {
        if self.require_publisher()? == Publisher::Pod {
            return Err(broken("the TUF repository of this cluster is made by its pod, with keys that nobody keeps: there is none to replace")
                .hint("its pod makes others each time that something is published: cargo xtask trust")
                .hint("a repository with keys that stay is made where Go is: cargo xtask --on local prefetch, then: cargo xtask trust")
                .into());
        }
        if self.dir.join(ROOT_KEY).exists() {
            return Ok(());
        }
        let file = self.dir.join(ROOT_KEY);
        Err(
            broken("the root of the TUF repository names the key, and the root's own is not here")
                .hint(format!(
                    "put it back for as long as this takes: {}",
                    file.display()
                ))
                .into(),
        )
    }

    /// Makes another key for all roles but the root (`cargo xtask step tuf-key`). What is
    /// published next is signed with it.
    pub(in crate::cluster) fn renew_tuf_key(&self) -> Result<()> {
        self.require_tuf_root_key()?;
        let next = format!("{KEY}-next");
        let maker = ServerBuild::of(&self.repo)?.program("loopback");
        let make = Command::new(words![maker, "make", "ecdsa", &next]);
        output_of(&make.dir(&self.dir), None)?;
        // The private key last: as long as it is the former one, so is all.
        for ending in ["pub", "key"] {
            let file = |stem: &str| self.dir.join(format!("{stem}.{ending}"));
            std::fs::rename(file(&next), file(KEY))
                .with_context(|| format!("put {next}.{ending} in place"))?;
        }
        Ok(())
    }
}
