//! Keys of a cluster that turn: the next key is made in a Secret of its own and trusted,
//! its server takes it, the former one ends, and the Secret goes.

mod accepted;
mod job;
mod next_key;
mod plan;
mod pods;

use anyhow::Result;
use clap::ValueEnum;

use super::helm::Helm;
use super::kubectl::Kubectl;
use super::servers::{
    CTLOG, CTLOG_TILES, ClusterServer, FULCIO, Maker, NextKey, REGISTRY, REKOR, REKOR_TILES,
    TIMESTAMP,
};
use super::single_writer::SingleWriter;
use super::timestamp_authority;
use crate::entry::{Version, Versions};
use crate::exec::output_of;
use crate::fail::{Fail, broken};
use crate::target::RotatedKey;
pub(crate) use accepted::{accept_authority, authority_is_accepted};
pub(crate) use next_key::{is_taken, switch};
pub(crate) use plan::RotationFacts;

/// A server whose key turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Turning {
    /// Fulcio
    Fulcio,
    /// The timestamp authority
    Timestamp,
    /// The CT log of Rekor v1
    Ctlog,
    /// The CT log on tiles
    CtlogTiles,
    /// Rekor v1
    Rekor,
    /// Rekor v2
    RekorV2,
    /// The registry
    Registry,
}

impl Turning {
    /// The server.
    pub(crate) fn server(self) -> &'static ClusterServer {
        match self {
            Turning::Fulcio => &FULCIO,
            Turning::Timestamp => &TIMESTAMP,
            Turning::Ctlog => &CTLOG,
            Turning::CtlogTiles => &CTLOG_TILES,
            Turning::Rekor => &REKOR,
            Turning::RekorV2 => &REKOR_TILES,
            Turning::Registry => &REGISTRY,
        }
    }

    /// Where its next key is made.
    pub(crate) fn next(self) -> Result<&'static NextKey, Fail> {
        let next = self.server().next.as_ref();
        next.ok_or_else(|| broken("a key that turns has no place for the next one"))
    }

    /// The key that turns with it, as it is typed.
    pub(crate) fn key(self) -> RotatedKey {
        match self {
            Turning::Fulcio => RotatedKey::Fulcio,
            Turning::Timestamp => RotatedKey::Timestamp,
            Turning::Ctlog | Turning::CtlogTiles => RotatedKey::Ctlog,
            Turning::Rekor | Turning::RekorV2 => RotatedKey::Rekor,
            Turning::Registry => RotatedKey::Registry,
        }
    }

    /// What holds the lock of its volume, where it is a log on tiles: a key of its own
    /// comes with a log of its own.
    fn log_on_tiles(self) -> Option<SingleWriter> {
        match self {
            Turning::CtlogTiles => Some(SingleWriter::CtlogTiles),
            Turning::RekorV2 => Some(SingleWriter::RekorTiles),
            _ => None,
        }
    }

    /// Its name, as steps are given it.
    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// The servers whose key turns, with these versions of Rekor.
///
/// # Errors
/// Where the key does not turn on a cluster: why, and what to do.
pub(crate) fn turning(key: RotatedKey, rekor: Versions) -> Result<Vec<Turning>, Fail> {
    match key {
        RotatedKey::Timestamp if !rekor.has(Version::V2) => {
            return Err(broken("with Rekor v1 alone there is no timestamp authority")
                .hint("Rekor says itself when it took an entry in, and its key turns: cargo xtask rotate rekor"));
        }
        RotatedKey::Users => {
            return Err(
                broken("a cluster has no users of the workshop: service accounts sign")
                    .hint("their tokens end by themselves, after ten minutes"),
            );
        }
        _ => {}
    }
    let all = Turning::value_variants().iter().copied();
    let turns = |server: &Turning| server.key() == key && server.server().runs(rekor);
    Ok(all.filter(turns).collect())
}

/// The CT logs that take Fulcio's certificates, with these versions of Rekor.
pub(crate) fn ct_logs(rekor: Versions) -> impl Iterator<Item = Turning> {
    let logs = [Turning::Ctlog, Turning::CtlogTiles].into_iter();
    logs.filter(move |log| log.server().runs(rekor))
}

/// Has the next key of a server made, by what made the first one.
pub(crate) fn make(kubectl: &Kubectl, helm: &Helm, turning: Turning) -> Result<()> {
    let (server, next) = (turning.server(), turning.next()?);
    match next.maker {
        Maker::Certificate(manifest) => {
            output_of(&kubectl.apply_manifests(&[manifest]), None).map(drop)
        }
        Maker::Job(name) => job::start(kubectl, helm, name, server, next),
        Maker::Here => timestamp_authority::make(kubectl, next.secret),
    }
}

/// What removes what made the next key of a server, so that it does not make it again.
pub(crate) fn maker(next: &NextKey) -> Option<String> {
    match next.maker {
        Maker::Certificate(_) => Some(format!("certificates.cert-manager.io/{}", next.secret)),
        Maker::Job(_) => Some(format!("jobs/{}", next.secret)),
        Maker::Here => None,
    }
}
