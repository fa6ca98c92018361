//! The layout of a log in tiles (C2SP tlog-tiles): which files hold which nodes of
//! the tree, and the proofs computed from them.
//!
//! A hash tile of level L holds up to 256 hashes, each the root of a complete
//! subtree of 256^L leaves. A tile at the right edge of the tree is partial; it is
//! named after its width, and may be gone once the full one is there.

use std::collections::HashMap;

use crate::fail::{Fail, broken};
use crate::tlog::merkle::{Hash, Nodes, subtree_root};

/// How many hashes a full tile holds, or entries a full entry bundle.
pub const WIDTH: u64 = 256;

/// The largest entry bundle: 256 entries with 16 bits of length each.
pub(crate) const LARGEST_BUNDLE: u64 = WIDTH * (2 + 0xffff);

/// The path of the tile with this number, below `tile/`: `level` is `0`, `1`, … or
/// `entries`, `width` how many hashes or entries it holds.
pub fn path(level: &str, number: u64, width: u64) -> String {
    let partial = match width {
        WIDTH => String::new(),
        _ => format!(".p/{width}"),
    };
    format!("tile/{level}/{}{partial}", grouped(number))
}

/// A tile's number in groups of three digits, all but the last prefixed with `x`.
fn grouped(number: u64) -> String {
    let mut path = format!("{:03}", number % 1000);
    let mut rest = number / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

/// How many places of a tile are filled at a level of so many nodes: 256, except in the
/// last tile.
pub fn width(number: u64, nodes: u64) -> u64 {
    nodes
        .saturating_sub(number.saturating_mul(WIDTH))
        .min(WIDTH)
}

/// The nth entry of an entry bundle: each is a big-endian 16-bit length and as many
/// bytes (C2SP tlog-tiles, "Log entries").
pub fn entry(mut bundle: &[u8], n: usize) -> Option<&[u8]> {
    for _ in 0..n {
        (_, bundle) = split(bundle)?;
    }
    split(bundle).map(|(entry, _)| entry)
}

/// The first entry of an entry bundle, and the rest of it.
pub(crate) fn split(bundle: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bundle.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Where tiles come from.
pub trait Source {
    /// What is at a path, at most so many bytes; `None` where there is nothing.
    fn find(&self, path: &str, largest: u64) -> Result<Option<Vec<u8>>, Fail>;
}

/// Fetches a tile of which so many places are filled, or the full one that has
/// replaced it.
pub(crate) fn fetch(
    source: &impl Source,
    level: &str,
    number: u64,
    width: u64,
    largest: u64,
) -> Result<Vec<u8>, Fail> {
    let asked = path(level, number, width);
    if let Some(tile) = source.find(&asked, largest)? {
        return Ok(tile);
    }
    let full = match width {
        WIDTH => None,
        _ => source.find(&path(level, number, WIDTH), largest)?,
    };
    full.ok_or_else(|| broken(format!("the log does not hand out {asked}")))
}

/// The nodes of the tree of `size` entries, read from its tiles, each tile once.
pub struct TileTree<S> {
    source: S,
    size: u64,
    read: HashMap<(u32, u64), Vec<u8>>,
}

impl<S: Source> TileTree<S> {
    /// A tree of which nothing has been read yet.
    pub fn new(source: S, size: u64) -> TileTree<S> {
        TileTree {
            source,
            size,
            read: HashMap::new(),
        }
    }

    fn tile(&mut self, level: u32, number: u64) -> Result<&[u8], Fail> {
        const HASH: u64 = size_of::<Hash>() as u64;
        if !self.read.contains_key(&(level, number)) {
            // Beyond the last level a shift would overflow; no tree has any nodes
            // there.
            let nodes = self.size.checked_shr(8 * level).unwrap_or(0);
            let width = width(number, nodes);
            let name = level.to_string();
            let tile = fetch(&self.source, &name, number, width, WIDTH * HASH)?;
            let length = tile.len() as u64;
            if !length.is_multiple_of(HASH) || length < width * HASH || length > WIDTH * HASH {
                return Err(broken(format!(
                    "{} is damaged: {length} bytes are not {width} hashes",
                    path(&name, number, width)
                )));
            }
            self.read.insert((level, number), tile);
        }
        Ok(&self.read[&(level, number)])
    }
}

impl<S: Source> Nodes for TileTree<S> {
    type Error = Fail;

    /// A node of a level between two tiles' is the root of a few of the hashes in
    /// the tile below it.
    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Fail> {
        let within = level % 8;
        let first = index << within;
        let tile = self.tile(level / 8, first / WIDTH)?;
        let (hashes, _) = tile.as_chunks::<32>();
        let from = (first % WIDTH) as usize;
        hashes
            .get(from..from + (1 << within))
            .map(subtree_root)
            .ok_or_else(|| broken("a tile holds fewer hashes than the tree has"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlog::merkle::{
        consistency_proof, inclusion_proof, leaf_hash, root, root_from_inclusion_proof,
        verify_consistency,
    };
    use proptest::prelude::*;

    /// The examples of C2SP tlog-tiles.
    #[test]
    fn paths_are_those_of_the_specification() {
        assert_eq!(path("0", 0, 256), "tile/0/000");
        assert_eq!(path("3", 1_234_067, 256), "tile/3/x001/x234/067");
        assert_eq!(path("0", 273, 112), "tile/0/273.p/112");
        assert_eq!(path("entries", 999, 1), "tile/entries/999.p/1");
    }

    /// A log as its tiles, made level by level from the leaf hashes.
    struct Log {
        levels: Vec<Vec<Hash>>,
        /// Whether it still has the partial tiles of those that are full.
        keeps_partial: bool,
    }

    impl Log {
        fn new(size: u64) -> Log {
            let mut levels = vec![];
            let mut row: Vec<Hash> = (0..size).map(|i| leaf_hash(&i.to_be_bytes())).collect();
            while !row.is_empty() {
                let up = row.chunks_exact(256).map(subtree_root).collect();
                levels.push(std::mem::replace(&mut row, up));
            }
            Log {
                levels,
                keeps_partial: true,
            }
        }

        fn size(&self) -> u64 {
            self.levels.first().map_or(0, |level| level.len() as u64)
        }
    }

    impl Source for &Log {
        fn find(&self, path: &str, _: u64) -> Result<Option<Vec<u8>>, Fail> {
            for (level, row) in self.levels.iter().enumerate() {
                for (number, tile) in row.chunks(256).enumerate() {
                    let full = super::path(&level.to_string(), number as u64, 256);
                    let width = match path.strip_prefix(&full) {
                        Some("") if tile.len() == 256 => 256,
                        Some(partial) => {
                            let width = partial.strip_prefix(".p/").and_then(|p| p.parse().ok());
                            let kept = tile.len() < 256 || self.keeps_partial;
                            width
                                .filter(|width| kept && *width <= tile.len())
                                .unwrap_or(0)
                        }
                        None => 0,
                    };
                    if width > 0 {
                        return Ok(Some(tile[..width].concat()));
                    }
                }
            }
            Ok(None)
        }
    }

    fn proves(log: &Log, index: u64, first: u64) {
        let size = log.size();
        let mut tree = TileTree::new(log, size);
        let whole = root(&mut tree, 0, size).unwrap();
        let proof = inclusion_proof(&mut TileTree::new(log, size), index, size).unwrap();
        let leaf = log.levels[0][index as usize];
        assert_eq!(
            root_from_inclusion_proof(leaf, index, size, &proof),
            Ok(whole),
            "{index} of {size}"
        );
        let old = Log::new(first);
        let before = root(&mut TileTree::new(&old, first), 0, first).unwrap();
        let proof = consistency_proof(&mut tree, first, size).unwrap();
        assert_eq!(
            verify_consistency((first, &before), (size, &whole), &proof),
            Ok(()),
            "{first} to {size}"
        );
    }

    #[test]
    fn proofs_across_the_edges_of_tiles() {
        for size in [1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537] {
            let log = Log::new(size);
            for index in [
                0,
                1,
                size / 2,
                size.saturating_sub(2),
                size - 1,
                254,
                255,
                256,
            ] {
                if index < size {
                    proves(&log, index, index + 1);
                }
            }
        }
    }

    #[test]
    fn a_partial_tile_may_be_gone_once_the_full_one_is_there() {
        // The tree of 300 entries, read from the log when it holds 512.
        let log = Log {
            keeps_partial: false,
            ..Log::new(512)
        };
        let proof = inclusion_proof(&mut TileTree::new(&log, 300), 299, 300).unwrap();
        let old = root(&mut TileTree::new(&Log::new(300), 300), 0, 300).unwrap();
        assert_eq!(
            root_from_inclusion_proof(log.levels[0][299], 299, 300, &proof),
            Ok(old)
        );
    }

    #[test]
    fn damaged_tiles_are_refused() {
        struct Bytes(usize);
        impl Source for &Bytes {
            fn find(&self, _: &str, _: u64) -> Result<Option<Vec<u8>>, Fail> {
                Ok(Some(vec![0; self.0]))
            }
        }
        for length in [0, 1, 31, 33, 32 * 256 + 32] {
            let source = Bytes(length);
            assert!(TileTree::new(&source, 7).node(0, 3).is_err(), "{length}");
        }
        assert!(TileTree::new(&Bytes(32), 7).node(0, 3).is_err());
        assert!(TileTree::new(&Log::new(0), 7).node(0, 3).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_tree_from_its_tiles(
            size in 1u64..2000,
            index in any::<prop::sample::Index>(),
            first in any::<prop::sample::Index>(),
        ) {
            let log = Log::new(size);
            let at = |index: prop::sample::Index| index.index(size as usize) as u64;
            proves(&log, at(index), at(first) + 1);
        }

        #[test]
        fn any_entry_is_found_again(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20)) {
            let bundle: Vec<u8> = entries
                .iter()
                .flat_map(|entry| [(entry.len() as u16).to_be_bytes().to_vec(), entry.clone()].concat())
                .collect();
            for (i, wanted) in entries.iter().enumerate() {
                prop_assert_eq!(entry(&bundle, i), Some(wanted.as_slice()));
            }
            prop_assert_eq!(entry(&bundle, entries.len()), None);
        }

        // Small numbers, so that many of the lengths fit.
        #[test]
        fn of_damaged_bundles_only_whole_entries_are_read(bytes in prop::collection::vec(0u8..4, 0..200), n in 0usize..20) {
            let mut end = 0;
            let mut found = Some(&bytes[..0]);
            for _ in 0..=n {
                found = bytes.get(end..end + 2).and_then(|length| {
                    let start = end + 2;
                    end = start + usize::from(u16::from_be_bytes([length[0], length[1]]));
                    bytes.get(start..end)
                });
                if found.is_none() {
                    break;
                }
            }
            prop_assert_eq!(entry(&bytes, n), found);
            if found.is_some() {
                prop_assert_eq!(entry(&bytes[..end - 1], n), None);
            }
        }
    }
}
