//! Whether a certificate is where a CT log promised to have it (C2SP static-ct-api): in
//! the tree of a checkpoint that the log signed.

use super::sct::Promise;
use super::{Verdict, wrong};
use crate::format::hex::hex;
use crate::text::{counted, entries, short};
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::merkle::{self, Hash};

/// Checks that the leaf of a promise stands at its place in the tree of a checkpoint,
/// whose signature was verified; `hashes` are those that lead from that place to the
/// root.
pub fn verify(promise: &Promise, index: u64, checkpoint: &Checkpoint, hashes: &[Hash]) -> Verdict {
    let size = checkpoint.size;
    let log = hex(&promise.log_id[..4]);
    if index >= size {
        return wrong(format!(
            "the CT log {log} promised the place {index}, and holds {}",
            entries(size)
        ));
    }
    let root = match merkle::root_from_inclusion_proof(promise.leaf, index, size, hashes) {
        Ok(root) => root,
        Err(why) => return wrong(format!("the CT log {log}: {why}")),
    };
    if root != checkpoint.root {
        return wrong(format!(
            "entry {index} of the CT log {log} is not this certificate: with it the root would be {}, not {}",
            short(&root),
            short(&checkpoint.root)
        ));
    }
    Ok(format!(
        "entry {index} of the CT log {log} is this certificate: it leads over {} to the root {} of {}",
        counted(hashes.len() as u64, "hash", "hashes"),
        short(&root),
        entries(size)
    ))
}
