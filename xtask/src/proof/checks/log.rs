//! The links between an entry and the log that holds it.

use crate::entry::Version;
use crate::format::hex::hex;
use crate::proof::{Evidence, Path, Proof, signed_entry_timestamp};
use crate::text::{counted, entries, short};
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::merkle;
use crate::trust::root::{TransparencyLog, TrustedRoot};

/// Climbs from the entry to the root and checks who signed that; the log whose key it
/// was.
pub fn of_log<'a>(
    proof: &mut Proof,
    evidence: &Evidence,
    timestamps: &[u64],
    root: &'a TrustedRoot,
) -> Option<&'a TransparencyLog> {
    let entry = evidence.entry()?;
    let named = entry.log_id.as_deref();
    let known = named.and_then(|id| root.tlog(id));
    let stranger = |id: &[u8]| {
        format!(
            "the trusted root does not know the log {}",
            hex(&id[..id.len().min(4)])
        )
    };
    let Some(included) = &entry.proof else {
        let bundle = evidence.bundle.as_ref();
        if entry.promise.is_some() && bundle.is_some_and(|bundle| bundle.promise_suffices) {
            proof.skip(
                "inclusion",
                "a signature of that age holds a promise instead of a proof",
            );
        } else {
            proof.check("inclusion", Err("the entry comes without a proof".into()));
        }
        return known;
    };
    let leaf = merkle::leaf_hash(&entry.canonical);
    let climbs = merkle::climb(leaf, included.index, included.size, &included.hashes);
    let verdict = climbs.and_then(|climbs| {
        let top = climbs.last().map_or(leaf, |climb| climb.parent);
        if top != included.root {
            return Err(format!(
                "the proof leads to the root {}, not to {}",
                hex(&top),
                hex(&included.root)
            ));
        }
        if entry.rekor == Version::V2 && entry.index != included.index {
            return Err(format!(
                "the proof is about entry {}, not {}",
                included.index, entry.index
            ));
        }
        let detail = format!(
            "entry {} leads over {} to the root {} of {}",
            included.index,
            counted(climbs.len() as u64, "hash", "hashes"),
            short(&top),
            entries(included.size)
        );
        proof.path = Some(Path {
            index: included.index,
            size: included.size,
            leaf,
            climbs,
        });
        Ok(detail)
    });
    proof.check("inclusion", verdict);

    let Some(text) = &included.checkpoint else {
        proof.check(
            "checkpoint",
            Err("the proof comes without a checkpoint".into()),
        );
        return known;
    };
    let checkpoint = match Checkpoint::read(text) {
        Ok(checkpoint) => checkpoint,
        Err(why) => {
            proof.check("checkpoint", Err(format!("it cannot be read: {why}")));
            return known;
        }
    };
    let log = match named {
        Some(id) => known.ok_or_else(|| stranger(id)),
        None => checkpoint
            .signer(root)
            .ok_or_else(|| "no log of the trusted root signed it".to_owned()),
    };
    let signed = log.clone().and_then(|log| {
        // Of v1 the promise names a time, of v2 nothing but the timestamps does.
        let counts = |time: &u64| log.valid_for().holds(*time);
        if entry.rekor == Version::V2 && !timestamps.iter().all(counts) {
            return Err("the key of the log did not count when it was signed".into());
        }
        checkpoint.verify(log)
    });
    let verdict = signed.and_then(|detail| {
        if (checkpoint.size, checkpoint.root) != (included.size, included.root) {
            return Err(format!(
                "it is of the root {} of {}, and the proof of {} of {}",
                hex(&checkpoint.root),
                entries(checkpoint.size),
                hex(&included.root),
                entries(included.size)
            ));
        }
        Ok(detail)
    });
    if let (Ok(_), Ok(log)) = (&verdict, &log) {
        proof.checkpoint = Some((log.id().to_vec(), checkpoint));
    }
    proof.check("checkpoint", verdict);
    log.ok()
}

/// Checks Rekor v1's promise; the time that it names.
pub fn of_promise(
    proof: &mut Proof,
    evidence: &Evidence,
    log: Option<&TransparencyLog>,
) -> Option<u64> {
    let entry = evidence.entry()?;
    let Some(promise) = &entry.promise else {
        if entry.rekor == Version::V1 {
            proof.check(
                "promise",
                Err("the entry names a time that nobody signed".into()),
            );
        }
        return None;
    };
    let verdict = match log {
        None => Err("the trusted root does not know the log".into()),
        Some(log) => signed_entry_timestamp::verify(entry, promise, log),
    };
    let time = verdict.is_ok().then_some(entry.integrated).flatten();
    proof.check("promise", verdict);
    time
}
