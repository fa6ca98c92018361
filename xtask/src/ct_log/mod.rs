//! CT logs in tiles (C2SP static-ct-api): the checkpoint, the entries, and the proofs
//! that are computed from the tiles.

mod entry;

use std::time::Duration;

use anyhow::Result;

use crate::fail::{Fail, broken};
use crate::http::Server;
use crate::tlog::checkpoint::{self, Checkpoint};
use crate::tlog::merkle::{self, Hash};
use crate::tlog::tiles::{self, Source, TileTree, WIDTH};
pub use entry::{Precertificate, split};

const WITHIN: Duration = Duration::from_secs(5);

/// No log hands out more at once: 256 entries, each of a certificate of usual size.
const LARGEST_BUNDLE: u64 = 8 * 1024 * 1024;

/// The files of a log, as its server hands them out.
pub(crate) struct CtLogFiles<'a>(&'a Server);

impl Source for CtLogFiles<'_> {
    fn find(&self, path: &str, largest: u64) -> Result<Option<Vec<u8>>, Fail> {
        self.0.find_at_most(&format!("/{path}"), largest, WITHIN)
    }
}

/// A log as it was when it was asked.
pub(crate) struct CtLog<'a> {
    /// The checkpoint that it showed then, whose signature has not been checked.
    pub(crate) checkpoint: Checkpoint,
    server: &'a Server,
    tree: TileTree<CtLogFiles<'a>>,
}

impl CtLog<'_> {
    /// Asks a log for its checkpoint.
    pub(crate) fn ask(server: &Server) -> Result<CtLog<'_>, Fail> {
        let not_a_log = |why: String| {
            broken(format!(
                "what answers there is not a CT log in tiles: its checkpoint has {why}"
            ))
            .hint("cargo xtask status")
        };
        let text = CtLogFiles(server).find("checkpoint", checkpoint::LARGEST)?;
        let text = text.ok_or_else(|| not_a_log("no file".into()))?;
        let text = String::from_utf8(text).map_err(|_| not_a_log("no text".into()))?;
        let checkpoint = Checkpoint::read(&text).map_err(not_a_log)?;
        Ok(CtLog::at(server, checkpoint))
    }

    /// A log as it was at a checkpoint.
    pub(crate) fn at(server: &Server, checkpoint: Checkpoint) -> CtLog<'_> {
        CtLog {
            server,
            tree: TileTree::new(CtLogFiles(server), checkpoint.size),
            checkpoint,
        }
    }

    /// The hashes that lead from an entry to the root of the checkpoint.
    pub(crate) fn inclusion(&mut self, index: u64) -> Result<Vec<Hash>, Fail> {
        merkle::inclusion_proof(&mut self.tree, index, self.checkpoint.size)
    }

    /// The hashes of a consistency proof between its first so many entries and those of
    /// the checkpoint.
    pub(crate) fn consistency(&mut self, first: u64) -> Result<Vec<Hash>, Fail> {
        merkle::consistency_proof(&mut self.tree, first, self.checkpoint.size)
    }

    /// Reads the entries from one on, each with its index.
    pub(crate) fn each(
        &self,
        from: u64,
        see: &mut dyn FnMut(u64, Precertificate) -> Result<()>,
    ) -> Result<()> {
        let (files, size) = (CtLogFiles(self.server), self.checkpoint.size);
        for number in from / WIDTH..size.div_ceil(WIDTH) {
            let width = tiles::width(number, size);
            let bundle = tiles::fetch(&files, "data", number, width, LARGEST_BUNDLE)?;
            let entries = split(&bundle)
                .map_err(|why| broken(format!("a bundle of the CT log is damaged: {why}")))?;
            if (entries.len() as u64) < width {
                return Err(broken("a bundle of the CT log holds too few entries").into());
            }
            for (index, entry) in (number * WIDTH..size).zip(entries) {
                if index >= from {
                    see(index, entry)?;
                }
            }
        }
        Ok(())
    }
}

/// How many entries a log holds.
pub(crate) fn size(server: &Server) -> Result<u64, Fail> {
    Ok(CtLog::ask(server)?.checkpoint.size)
}
