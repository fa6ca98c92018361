//! Rekor v2: tiles (C2SP tlog-tiles). An entry is found by arithmetic, not by a
//! query: bundle `index / 256`, place `index % 256`.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::{Entry, Version};
use crate::fail::{broken, not_so};
use crate::http::Server;

const WITHIN: Duration = Duration::from_secs(10);

/// How many entries a full entry bundle holds.
const WIDTH: u64 = 256;

pub fn size(server: &Server) -> Result<u64> {
    let text = server.get("/api/v2/checkpoint", WITHIN)?;
    // C2SP tlog-checkpoint: origin, size in decimal, root hash, a line each.
    let text = String::from_utf8_lossy(&text);
    text.lines()
        .nth(1)
        .and_then(|size| size.parse().ok())
        .ok_or_else(|| {
            broken("what answers there is not Rekor v2: its checkpoint names no tree size")
                .hint("cargo xtask status")
                .into()
        })
}

pub fn fetch(server: &Server, index: u64) -> Result<Entry> {
    let size = size(server)?;
    if index >= size {
        return Err(not_so(format!(
            "Rekor v2 has no entry with index {index}; it holds {size} entries"
        ))
        .into());
    }
    let bundle = index / WIDTH;
    let full = format!("/api/v2/tile/entries/{}", tile_number(bundle));
    let held = if bundle == size / WIDTH {
        size % WIDTH
    } else {
        WIDTH
    };
    // A partial bundle may be gone once the full one is there.
    let partial = if held < WIDTH {
        server.find(&format!("{full}.p/{held}"), WITHIN)?
    } else {
        None
    };
    let bytes = partial.map_or_else(|| server.get(&full, WITHIN), Ok)?;
    let entry = nth(&bytes, (index % WIDTH) as usize)
        .ok_or_else(|| broken(format!("entry bundle {bundle} of Rekor v2 is damaged")))?;
    let body: Value = serde_json::from_slice(entry)
        .map_err(|error| broken(format!("entry {index} of Rekor v2 is not JSON: {error}")))?;
    Ok(Entry {
        rekor: Version::V2,
        index,
        uuid: None,
        integrated: None,
        raw: body.clone(),
        body,
    })
}

/// The path of a tile's number: groups of three digits, all but the last
/// prefixed with `x` (C2SP tlog-tiles, "Tiles").
fn tile_number(number: u64) -> String {
    let mut path = format!("{:03}", number % 1000);
    let mut rest = number / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

/// The nth entry of a bundle: each is a big-endian 16-bit length and as many
/// bytes (C2SP tlog-tiles, "Log entries").
fn nth(mut bundle: &[u8], n: usize) -> Option<&[u8]> {
    for _ in 0..n {
        let (_, rest) = split(bundle)?;
        bundle = rest;
    }
    split(bundle).map(|(entry, _)| entry)
}

fn split(bundle: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bundle.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The examples of C2SP tlog-tiles.
    #[test]
    fn tile_numbers_are_grouped() {
        assert_eq!(tile_number(0), "000");
        assert_eq!(tile_number(273), "273");
        assert_eq!(tile_number(1_234_067), "x001/x234/067");
    }

    proptest! {
        #[test]
        fn any_entry_is_found_again(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20)) {
            let bundle: Vec<u8> = entries
                .iter()
                .flat_map(|entry| [(entry.len() as u16).to_be_bytes().to_vec(), entry.clone()].concat())
                .collect();
            for (i, entry) in entries.iter().enumerate() {
                prop_assert_eq!(nth(&bundle, i), Some(entry.as_slice()));
            }
            prop_assert_eq!(nth(&bundle, entries.len()), None);
        }

        #[test]
        fn damaged_bundles_are_refused_not_read(bytes in prop::collection::vec(any::<u8>(), 0..200), n in 0usize..300) {
            let _ = nth(&bytes, n);
        }
    }
}
