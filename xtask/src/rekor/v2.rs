//! Rekor v2: tiles (C2SP tlog-tiles). An entry is found by arithmetic, not by a
//! query: bundle `index / 256`, place `index % 256`; and its proof is computed from
//! the hash tiles.

use std::time::Duration;

use anyhow::Result;

use super::entries::LoggedEntry;
use super::missing;
use crate::entry::{Entry, InclusionProof, Version};
use crate::fail::{Fail, broken};
use crate::format::protojson::strict_json;
use crate::http::Server;
use crate::tlog::checkpoint::{self, Checkpoint};
use crate::tlog::merkle::{self, Hash};
use crate::tlog::tiles::{self, Source, TileTree, WIDTH};

const WITHIN: Duration = Duration::from_secs(10);

/// The files of a log, as its server hands them out.
pub struct RekorFiles<'a>(&'a Server);

impl Source for RekorFiles<'_> {
    fn find(&self, path: &str, largest: u64) -> Result<Option<Vec<u8>>, Fail> {
        self.0
            .find_at_most(&format!("/api/v2/{path}"), largest, WITHIN)
    }
}

pub(crate) fn size(server: &Server) -> Result<u64> {
    Ok(latest(server)?.size)
}

pub(super) fn latest(server: &Server) -> Result<Checkpoint> {
    let not_rekor = |why: String| {
        broken(format!(
            "what answers there is not Rekor v2: its checkpoint has {why}"
        ))
        .hint("cargo xtask status")
    };
    let text = RekorFiles(server).find("checkpoint", checkpoint::LARGEST)?;
    let text = text.ok_or_else(|| not_rekor("no file".into()))?;
    let text = String::from_utf8(text).map_err(|_| not_rekor("no text".into()))?;
    Ok(Checkpoint::read(&text).map_err(not_rekor)?)
}

/// The tree of a log, of which each tile is fetched once.
pub(crate) type LogTree<'a> = TileTree<RekorFiles<'a>>;

pub(crate) fn fetch<'a>(server: &'a Server, index: u64) -> Result<(Entry, LogTree<'a>)> {
    let checkpoint = latest(server)?;
    let size = checkpoint.size;
    if index >= size {
        return Err(missing(Version::V2, &format!("index {index}"), size));
    }
    let files = RekorFiles(server);
    let bundle = index / WIDTH;
    let width = tiles::width(bundle, size);
    let bytes = tiles::fetch(&files, "entries", bundle, width, tiles::LARGEST_BUNDLE)?;
    let canonicalized_body = tiles::entry(&bytes, (index % WIDTH) as usize)
        .ok_or_else(|| broken(format!("entry bundle {bundle} of Rekor v2 is damaged")))?
        .to_vec();
    let body = strict_json(&canonicalized_body)
        .map_err(|error| broken(format!("entry {index} of Rekor v2 is not JSON: {error}")))?;
    let mut tree = TileTree::new(files, size);
    let hashes = merkle::inclusion_proof(&mut tree, index, size)?;
    let entry = Entry {
        rekor: Version::V2,
        index,
        uuid: None,
        integrated: None,
        log_id: None,
        raw: body.clone(),
        body,
        canonicalized_body,
        promise: None,
        proof: Some(InclusionProof {
            index,
            size,
            root: checkpoint.root,
            hashes,
            checkpoint: Some(checkpoint.text),
        }),
    };
    Ok((entry, tree))
}

/// Reads the entries of a log of this size, from one on.
pub(super) fn each(
    server: &Server,
    size: u64,
    from: u64,
    see: &mut dyn FnMut(LoggedEntry) -> Result<()>,
) -> Result<()> {
    let files = RekorFiles(server);
    for bundle in from / WIDTH..size.div_ceil(WIDTH) {
        let width = tiles::width(bundle, size);
        let bytes = tiles::fetch(&files, "entries", bundle, width, tiles::LARGEST_BUNDLE)?;
        let mut rest = bytes.as_slice();
        for place in 0..width {
            let (entry, more) = tiles::split(rest)
                .ok_or_else(|| broken(format!("entry bundle {bundle} of Rekor v2 is damaged")))?;
            rest = more;
            let index = bundle * WIDTH + place;
            if index >= from {
                see(LoggedEntry {
                    index,
                    integrated: None,
                    canonicalized_body: entry.to_vec(),
                })?;
            }
        }
    }
    Ok(())
}

pub(super) fn consistency(server: &Server, first: u64, size: u64) -> Result<Vec<Hash>> {
    let mut tree = TileTree::new(RekorFiles(server), size);
    Ok(merkle::consistency_proof(&mut tree, first, size)?)
}
