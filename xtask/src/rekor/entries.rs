//! All entries of a log, in their order.

use anyhow::Result;

use super::{v1, v2};
use crate::entry::Version;
use crate::http::Server;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::merkle::Hash;

/// A tree of a log: all of Rekor v2, or a shard of Rekor v1.
#[derive(Debug, Clone)]
pub(crate) struct LoggedTree {
    /// What the log says of it now, whose signature has not been checked.
    pub(crate) checkpoint: Checkpoint,
    /// The index in the log of its first entry.
    pub(crate) first: u64,
}

/// An entry as it is read in its order.
#[derive(Debug, Clone)]
pub(crate) struct LoggedEntry {
    /// Its index in the log.
    pub(crate) index: u64,
    /// When Rekor v1 took it in, in seconds since 1970.
    pub(crate) integrated: Option<u64>,
    /// What the log committed to, to the byte: its leaf.
    pub(crate) canonicalized_body: Vec<u8>,
}

/// The trees of a log, the one that grows last.
pub(crate) fn trees(version: Version, server: &Server) -> Result<Vec<LoggedTree>> {
    match version {
        Version::V1 => v1::trees(server),
        Version::V2 => Ok(vec![LoggedTree {
            checkpoint: v2::latest(server)?,
            first: 0,
        }]),
    }
}

/// Reads the entries of a tree from the one with this number in it on.
pub(crate) fn each(
    version: Version,
    server: &Server,
    tree: &LoggedTree,
    from: u64,
    see: &mut dyn FnMut(LoggedEntry) -> Result<()>,
) -> Result<()> {
    match version {
        Version::V1 => v1::each(server, tree, from, see),
        Version::V2 => v2::each(server, tree.checkpoint.size, from, see),
    }
}

/// The hashes of a consistency proof between the first so many entries of a tree and all.
pub(crate) fn consistency(
    version: Version,
    server: &Server,
    tree: &LoggedTree,
    first: u64,
) -> Result<Vec<Hash>> {
    let Checkpoint { origin, size, .. } = &tree.checkpoint;
    match version {
        Version::V1 => v1::consistency(server, origin, first, *size),
        Version::V2 => v2::consistency(server, first, *size),
    }
}
