//! A log of Rekor v2 as large as one likes, to measure reading: the leaves are made
//! up but for one, and the tree and its checkpoint are real.

use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::signature::{Ed25519KeyPair, KeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use xtask::tlog::merkle::{self, Hash, Nodes, leaf_hash, subtree_root};
use xtask::tlog::tiles::{self, WIDTH};

/// A tree in memory: the hashes of each level of tiles.
struct Tree(Vec<Vec<Hash>>);

impl Tree {
    fn new(leaves: Vec<Hash>) -> Tree {
        let mut levels = vec![leaves];
        while let Some(row) = levels.last().filter(|row| row.len() >= WIDTH as usize) {
            let up = row.chunks_exact(WIDTH as usize).map(subtree_root).collect();
            levels.push(up);
        }
        Tree(levels)
    }
}

impl Nodes for Tree {
    type Error = std::convert::Infallible;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Self::Error> {
        let (row, within) = (&self.0[(level / 8) as usize], level % 8);
        let first = (index << within) as usize;
        Ok(subtree_root(&row[first..first + (1 << within)]))
    }
}

/// Writes the storage of a log of `size` entries below `dir`, of which the one at
/// `index` is `entry`, signed as the log of this key and origin.
///
/// # Errors
/// Where the key cannot be read or a file cannot be written.
pub fn write(
    dir: &Path,
    key: &Path,
    origin: &str,
    size: u64,
    index: u64,
    entry: &[u8],
) -> Result<()> {
    let made_up = |i: u64| format!("{{\"made up\":{i}}}").into_bytes();
    let leaf = |i| {
        if i == index {
            leaf_hash(entry)
        } else {
            leaf_hash(&made_up(i))
        }
    };
    let mut tree = Tree::new((0..size).map(leaf).collect());
    for (level, row) in tree.0.iter().enumerate() {
        for (number, tile) in row.chunks(WIDTH as usize).enumerate() {
            let path = tiles::path(&level.to_string(), number as u64, tile.len() as u64);
            write_tile(&dir.join(path), &tile.concat())?;
        }
    }
    let number = index / WIDTH;
    let width = tiles::width(number, size);
    let held = (number * WIDTH..).take(width as usize);
    let bundle: Vec<u8> = held
        .flat_map(|i| {
            let entry = if i == index {
                entry.to_vec()
            } else {
                made_up(i)
            };
            [&(entry.len() as u16).to_be_bytes(), entry.as_slice()].concat()
        })
        .collect();
    write_tile(&dir.join(tiles::path("entries", number, width)), &bundle)?;

    let Ok(root) = merkle::root(&mut tree, 0, size);
    let pem = PrivatePkcs8KeyDer::from_pem_file(key)
        .with_context(|| format!("read {}", key.display()))?;
    let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pem.secret_pkcs8_der())
        .map_err(|error| anyhow::anyhow!("the key of Rekor v2: {error}"))?;
    let text = format!("{origin}\n{size}\n{}\n", BASE64_STANDARD.encode(root));
    let hint = Sha256::new()
        .chain_update(format!("{origin}\n\x01"))
        .chain_update(key.public_key().as_ref())
        .finalize();
    let signature = [&hint[..4], key.sign(text.as_bytes()).as_ref()].concat();
    let signature = BASE64_STANDARD.encode(signature);
    let note = format!("{text}\n— {origin} {signature}\n");
    write_tile(&dir.join("checkpoint"), note.as_bytes())
}

/// Writes a file, and the directories above it.
fn write_tile(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    std::fs::write(path, bytes).with_context(|| format!("write {}", path.display()))
}
