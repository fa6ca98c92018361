//! The links between an entry and the log that holds it.

use crate::entry::{Entry, InclusionProof, Version};
use crate::format::hex::hex;
use crate::proof::{Evidence, InclusionPath, Link, Proof, Verdict, signed_entry_timestamp, wrong};
use crate::text::{counted, entries, short};
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::merkle;
use crate::trust::root::{TransparencyLog, TrustedRoot};

/// What stands in for what a bundle of v0.1 may lack.
const PROMISED: &str = "a signature of that age may come without: the promise of the log counts";

/// Computes the root from the entry, checks who signed it, and returns the log whose key
/// that was.
pub(crate) fn of_log<'a>(
    proof: &mut Proof,
    evidence: &Evidence,
    timestamps: &[u64],
    root: &'a TrustedRoot,
) -> Option<&'a TransparencyLog> {
    let entry = evidence.entry()?;
    let known = entry.log_id.as_deref().and_then(|id| root.tlog(id));
    let bundle = evidence.bundle.as_ref();
    let promise_suffices =
        entry.promise.is_some() && bundle.is_some_and(|bundle| bundle.promise_suffices);
    let Some(included) = &entry.proof else {
        match promise_suffices {
            true => proof.skip(Link::Inclusion, PROMISED),
            false => proof.check(Link::Inclusion, wrong("the entry comes without a proof")),
        }
        return known;
    };
    of_inclusion(proof, entry, included);

    // A root proves nothing until the log has signed it.
    let Some(text) = &included.checkpoint else {
        match promise_suffices {
            true => proof.skip(Link::Checkpoint, PROMISED),
            false => proof.check(
                Link::Checkpoint,
                wrong("the proof comes without a checkpoint"),
            ),
        }
        return known;
    };
    let checkpoint = match Checkpoint::read(text) {
        Ok(checkpoint) => checkpoint,
        Err(why) => {
            proof.check(Link::Checkpoint, wrong(format!("it cannot be read: {why}")));
            return known;
        }
    };
    let log = match entry.log_id.as_deref() {
        Some(id) => known.ok_or_else(|| {
            let id = hex(&id[..id.len().min(4)]);
            format!("the trusted root does not know the log {id}")
        }),
        None => checkpoint
            .signer(root)
            .ok_or_else(|| "no log of the trusted root signed it".to_owned()),
    };
    let verdict = match &log {
        Ok(log) => of_checkpoint(entry, included, &checkpoint, log, timestamps),
        Err(why) => wrong(why),
    };
    if let (Ok(_), Ok(log)) = (&verdict, &log) {
        proof.count(Link::Checkpoint, named(log), log.valid_for());
        proof.checkpoint = Some((log.id().to_vec(), checkpoint));
    }
    proof.check(Link::Checkpoint, verdict);
    log.ok()
}

/// A log, for a person.
fn named(log: &TransparencyLog) -> String {
    let id = log.id();
    format!("the log {}", hex(&id[..id.len().min(4)]))
}

/// Computes the root from the entry.
fn of_inclusion(proof: &mut Proof, entry: &Entry, included: &InclusionProof) {
    let leaf = merkle::leaf_hash(&entry.canonicalized_body);
    let climbs = match merkle::inclusion_path(leaf, included.index, included.size, &included.hashes)
    {
        Ok(climbs) => climbs,
        Err(why) => return proof.check(Link::Inclusion, wrong(why)),
    };
    let top = climbs.last().map_or(leaf, |climb| climb.parent);
    if top != included.root {
        let (top, root) = (hex(&top), hex(&included.root));
        let why = format!("the proof leads to the root {top}, not to {root}");
        return proof.check(Link::Inclusion, wrong(why));
    }
    if entry.rekor == Version::V2 && entry.index != included.index {
        let (about, index) = (included.index, entry.index);
        let why = format!("the proof is about entry {about}, not {index}");
        return proof.check(Link::Inclusion, wrong(why));
    }
    let detail = format!(
        "entry {} leads over {} to the root {} of {}",
        included.index,
        counted(climbs.len() as u64, "hash", "hashes"),
        short(&top),
        entries(included.size)
    );
    proof.path = Some(InclusionPath {
        index: included.index,
        size: included.size,
        leaf,
        climbs,
    });
    proof.check(Link::Inclusion, Ok(detail));
}

/// Checks that the log signed a checkpoint of the root that the proof leads to.
fn of_checkpoint(
    entry: &Entry,
    included: &InclusionProof,
    checkpoint: &Checkpoint,
    log: &TransparencyLog,
    timestamps: &[u64],
) -> Verdict {
    // In v1 the promise names a time; in v2 only the timestamps do.
    let counts = |time: &u64| log.valid_for().holds(*time);
    if entry.rekor == Version::V2 && !timestamps.iter().all(counts) {
        return wrong("the key of the log did not count when it was signed");
    }
    let detail = checkpoint.verify(log)?;
    if (checkpoint.size, checkpoint.root) != (included.size, included.root) {
        return wrong(format!(
            "it is of the root {} of {}, and the proof of {} of {}",
            hex(&checkpoint.root),
            entries(checkpoint.size),
            hex(&included.root),
            entries(included.size)
        ));
    }
    Ok(detail)
}

/// Checks Rekor v1's promise; the time that it names.
pub(crate) fn of_promise(
    proof: &mut Proof,
    evidence: &Evidence,
    log: Option<&TransparencyLog>,
) -> Option<u64> {
    let entry = evidence.entry()?;
    let Some(promise) = &entry.promise else {
        if entry.rekor == Version::V1 {
            proof.check(
                Link::Promise,
                wrong("the entry names a time that nobody signed"),
            );
        }
        return None;
    };
    let verdict = match log {
        None => wrong("the trusted root does not know the log"),
        Some(log) => signed_entry_timestamp::verify(entry, promise, log),
    };
    if let (Ok(_), Some(log)) = (&verdict, log) {
        proof.count(Link::Promise, named(log), log.valid_for());
    }
    let time = verdict.is_ok().then_some(entry.integrated).flatten();
    proof.check(Link::Promise, verdict);
    time
}
