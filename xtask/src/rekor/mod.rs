//! Log entries of either Rekor, behind one [`Entry`].
//!
//! v1 (OpenAPI of sigstore/rekor) is asked for an entry and its proof; v2 (C2SP
//! tlog-tiles) is a set of files: the checkpoint, entry bundles, and the tiles from
//! which proofs are computed.

pub(crate) mod entries;
pub(crate) mod first_entry;
mod v1;
mod v2;

use anyhow::Result;

use crate::entry::{Entry, Version};
use crate::fail::{broken, not_so};
use crate::http::Server;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::merkle::{self, Hash};

/// Which entry is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// By its index in the log.
    Index(u64),
    /// By the id that Rekor v1 gave it.
    Uuid(String),
}

/// A log that has been asked for an entry, to be asked for what belongs to it.
pub enum RekorLog<'a> {
    /// The API of v1.
    V1(&'a Server),
    /// The tree of v2, and the tiles of it that were fetched.
    V2(v2::LogTree<'a>),
}

/// Fetches an entry with the proof that it is included.
///
/// # Errors
/// Exit status 1 where the log has no such entry, 2 where it does not answer or
/// answers with something else.
pub fn fetch<'a>(
    version: Version,
    server: &'a Server,
    which: &Which,
) -> Result<(Entry, RekorLog<'a>)> {
    match (version, which) {
        (Version::V1, which) => Ok((v1::fetch(server, which)?, RekorLog::V1(server))),
        (Version::V2, Which::Index(index)) => {
            let (entry, tree) = v2::fetch(server, *index)?;
            Ok((entry, RekorLog::V2(tree)))
        }
        (Version::V2, Which::Uuid(_)) => Err(broken("entries of Rekor v2 have no UUID")
            .hint("use --log-index N, or --rekor v1")
            .into()),
    }
}

impl RekorLog<'_> {
    /// The hashes of a consistency proof between its first so many entries and those
    /// of a checkpoint that came with an entry.
    pub fn consistency(&mut self, first: u64, checkpoint: &Checkpoint) -> Result<Vec<Hash>> {
        match self {
            RekorLog::V1(server) => {
                v1::consistency(server, &checkpoint.origin, first, checkpoint.size)
            }
            RekorLog::V2(tree) => Ok(merkle::consistency_proof(tree, first, checkpoint.size)?),
        }
    }
}

/// Reads what the API of Rekor v1 answers about one entry.
pub fn read_v1(text: &[u8]) -> Result<Entry> {
    v1::read(text)
}

/// How many entries a log holds.
pub(crate) fn size(version: Version, server: &Server) -> Result<u64> {
    match version {
        Version::V1 => v1::size(server),
        Version::V2 => v2::size(server),
    }
}

/// The failure for an index that a log does not have.
fn missing(version: Version, which: &str, size: u64) -> anyhow::Error {
    not_so(format!(
        "Rekor {} has no entry with {which}; it holds {}",
        version.name(),
        crate::text::entries(size)
    ))
    .into()
}
