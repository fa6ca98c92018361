//! The labs in which a bundle is edited: parts are taken from it, or those of another
//! put in their place.

use anyhow::Result;
use serde_json::Value;

use super::{Lab, Session, edit};
use crate::proof::Link;
use crate::random::random;

/// A certificate that ended is used again, without the log entry that dates it.
pub(crate) const REPLAYED_CERTIFICATE: Lab = Lab {
    name: "replayed-certificate",
    title: "a certificate that ended is used without its log entry and timestamp",
    story: &[
        "Alice's certificate is valid for ten minutes, and her signature is checked for years.",
        "That works because the timestamp and the log entry say when she signed.",
        "Someone who finds her key later would sign with it, and leave out what dates the signature.",
    ],
    question: "First the timestamp is taken from the bundle, then the log entry. What does a verifier miss?",
    answer: &[
        "Without a time that someone trusted names, nobody knows whether the certificate was valid.",
        "And without the entry, Alice would never see in the log what was signed in her name.",
    ],
    options: &[],
    run: replayed_certificate,
};

fn replayed_certificate(session: &mut Session<'_>) -> Result<()> {
    let (file, bundle) = session.signed_file("program.txt", "the good program")?;
    session.expect_ok(&["verify", "--blob", &file])?;
    let undated = session.edit(
        &bundle,
        "undated.json",
        "take the timestamp away",
        |bundle| {
            remove(bundle, "/verificationMaterial", "timestampVerificationData");
        },
    )?;
    session.expect_file_refused(&file, &undated, &[Link::Validity])?;
    let unlogged = session.edit(
        &undated,
        "unlogged.json",
        "take the log entry away as well",
        |bundle| {
            remove(bundle, "/verificationMaterial", "tlogEntries");
        },
    )?;
    session.expect_file_refused(&file, &unlogged, &[Link::Entry, Link::Validity])
}

/// The proofs of a bundle are replaced by others.
pub(crate) const FORGED_ENTRY: Lab = Lab {
    name: "forged-entry",
    title: "a bundle is given the log entry, the proof or the checkpoint of another",
    story: &[
        "Two files are signed, so there are two entries in the log, each with a proof.",
        "An attacker mixes their parts: everything is real, but not in its place.",
        "Then he writes himself: a number in the checkpoint, and at last a whole log of his own, with a key of his own.",
    ],
    question: "Four times something is exchanged: the entry, its proof, a number in the checkpoint, the log. Which check notices each?",
    answer: &[
        "The entry holds the digest, the signature and the certificate of what it is about.",
        "The proof begins with the hash of the entry, so another proof leads to another root.",
        "The checkpoint is signed, so not a letter of it can be changed.",
        "In a log of his own every proof is right. But its checkpoint is not signed with the key that the trusted root names.",
    ],
    options: &[],
    run: forged_entry,
};

fn forged_entry(session: &mut Session<'_>) -> Result<()> {
    // Four forgeries of one bundle, each told before the next.
    let (_, other) = session.signed_file("other.txt", "another program")?;
    let (file, bundle) = session.signed_file("program.txt", "the good program")?;
    let other = session.read(&other)?;
    let entry = "/verificationMaterial/tlogEntries/0";
    let proof = format!("{entry}/inclusionProof");
    let take = |bundle: &mut Value, from: &str| {
        if let (Some(place), Some(value)) = (bundle.pointer_mut(from), other.pointer(from)) {
            *place = value.clone();
        }
    };
    let forged = session.edit(
        &bundle,
        "entry.json",
        "put the entry of the other file in",
        |bundle| {
            take(bundle, entry);
        },
    )?;
    session.expect_file_refused(&file, &forged, &[Link::Entry])?;
    let forged = session.edit(
        &bundle,
        "proof.json",
        "put the proof of the other entry in",
        |bundle| {
            take(bundle, &proof);
        },
    )?;
    session.expect_file_refused(&file, &forged, &[Link::Inclusion])?;
    let note = format!("{proof}/checkpoint/envelope");
    let forged = session.edit(
        &bundle,
        "checkpoint.json",
        "say in the checkpoint that the log holds an entry more",
        |bundle| {
            if let Some(place) = bundle.pointer_mut(&note) {
                let text = place
                    .as_str()
                    .unwrap_or_default()
                    .replacen("\n3\n", "\n4\n", 1);
                *place = text.into();
            }
        },
    )?;
    session.expect_file_refused(&file, &forged, &[Link::Checkpoint])?;
    let seed = random()?;
    let forged = session.edit(
        &bundle,
        "log.json",
        "begin a log with this entry alone, and sign its checkpoint with a key made for it",
        |bundle| {
            edit::in_a_log_of_ones_own(bundle, &seed);
        },
    )?;
    session.expect_file_refused(&file, &forged, &[Link::Checkpoint])
}

fn remove(value: &mut Value, of: &str, name: &str) {
    if let Some(object) = value.pointer_mut(of).and_then(Value::as_object_mut) {
        object.remove(name);
    }
}
