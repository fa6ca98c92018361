//! The role of a target that leads clients to its servers.

use anyhow::Result;

use crate::entry::Version;
use crate::fail::{Fail, not_so};
use crate::http::Server;
use crate::text::counted;
use crate::tlog::merkle::Hash;

/// A server that can be asked.
pub(crate) struct Reached {
    /// Its address, and whose certificate counts for it.
    pub server: Server,
    /// What must be kept while it is asked: the forward to it.
    pub(crate) _held: Option<Box<dyn std::any::Any>>,
}

impl Reached {
    /// A server that needs no forward.
    pub(crate) fn directly(server: Server) -> Reached {
        Reached {
            server,
            _held: None,
        }
    }
}

/// Which log of Rekor is meant, where one was replaced by another.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shard<'a> {
    /// The one that is written now.
    Newest,
    /// The one of this number, from 1 on.
    Number(usize),
    /// The one with this id, or with an id that begins with these four bytes.
    WithId(&'a [u8]),
}

/// The failure for a log of a number that there never was.
pub(crate) fn no_shard(number: usize, newest: usize) -> Fail {
    let logs = counted(newest as u64, "log", "logs");
    not_so(format!(
        "Rekor has no shard {number}; it has written {logs}"
    ))
}

/// Where the servers of an installation are.
pub(crate) trait Reach {
    /// Whether the servers are processes of this machine, on its loopback interface.
    fn is_loopback(&self) -> bool;

    /// The address of a version of Rekor, for as long as the answer is kept.
    fn reach_rekor(&self, version: Version) -> Result<Reached>;

    /// The address of one log of Rekor, where ended ones can be read as well.
    fn reach_shard(&self, version: Version, _: Shard<'_>) -> Result<Reached> {
        self.reach_rekor(version)
    }

    /// The numbers of the logs of Rekor that have ended and can still be read.
    fn ended_shards(&self, _: Version) -> Vec<usize> {
        Vec::new()
    }

    /// The address at which the CT log with this id hands out its tiles, for as long as
    /// the answer is kept.
    fn reach_ct_log(&self, id: &Hash) -> Result<Reached>;

    /// The address at which the CT log that takes certificates now hands out its tiles, where
    /// it can be asked before there is a trusted root.
    fn newest_ct_log(&self) -> Result<Option<Reached>> {
        Ok(None)
    }

    /// The address of a registry, for as long as the answer is kept.
    fn reach_registry(&self, host: &str) -> Result<Reached>;

    /// What other clients need: names and values of environment variables.
    fn env(&self) -> Result<Vec<(String, String)>>;

    /// What to know about the addresses of `env`.
    fn env_note(&self) -> Option<&'static str>;
}
