//! The labs in which the operator of a log is the attacker, or careless.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Checks, Lab, Output, Session};
use crate::local::settings::{CountedKey, Settings};
use crate::proof::Link;

/// The log is put back to an older copy, and goes on differently.
pub(crate) const TWO_HISTORIES: Lab = Lab {
    name: "two-histories",
    title: "the operator of the log rewrites its history",
    story: &[
        "Alice signs something, and someone looks at the log: it holds two entries.",
        "The operator of the log wants the second one to be gone.",
        "He puts an older copy of its storage back. The log has its key, so it signs whatever it holds.",
    ],
    question: "Every proof of the rewritten log is right. How can anybody notice?",
    answer: &[
        "Whoever saw a checkpoint of the log keeps it, and the next one has to extend it.",
        "The log cannot prove that, since it is not so: both checkpoints, which it signed itself, are the evidence.",
        "One person who remembers is enough, and the bundles of others remember as well.",
    ],
    options: &[],
    run: two_histories,
};

fn two_histories(session: &mut Session<'_>) -> Result<()> {
    let storage = session.installation().join("data/rekor-v2");
    let copy = session.file("older-copy");
    session.expect_ok(&["sign"])?;
    session.expect_ok(&["stop", "rekor-v2"])?;
    session.say("\n# the operator keeps a copy of the storage");
    copied(session, &storage, &copy)?;
    session.expect_ok(&["start"])?;
    session.expect_ok(&["sign"])?;
    session.expect_ok(&["inspect-rekor"])?;
    session.expect_ok(&["stop", "rekor-v2"])?;
    session.say("\n# he puts the older copy back: the second entry was never there");
    std::fs::remove_dir_all(&storage)?;
    copied(session, &copy, &storage)?;
    session.expect_ok(&["restart", "tiles", "rekor-v2"])?;
    session.expect_refusal(
        &["inspect-rekor", "--log-index", "1"],
        Checks(&[Link::Consistency]),
        Output::Failures,
    )?;
    session.say("\n# the log goes on, and soon it is as long as before");
    session.expect_ok(&["sign", "--as", "bob"])?;
    session.expect_refusal(
        &["inspect-rekor"],
        Checks(&[Link::Consistency]),
        Output::Failures,
    )
}

/// A log starts over with another key.
pub(crate) const CHANGED_KEY: Lab = Lab {
    name: "changed-key",
    title: "the key of Rekor changes at a restart",
    story: &[
        "The chart's Rekor makes its key in memory: after a restart it signs with another one.",
        "Here the operator ends the shard of Rekor v1 after a restart, and begins another one with a key of its own.",
        "A careless operator publishes a trusted root that names the new key only.",
    ],
    question: "What becomes of what was signed before the restart?",
    answer: &[
        "With the new key alone, nobody can check the old promise and the old checkpoint.",
        "A trusted root names the key of every shard with the time in which it counted.",
        "So the old signature still verifies, though its log has ended: the bundle holds all of the proof.",
    ],
    options: &["--rekor", "v1"],
    run: changed_key,
};

fn changed_key(session: &mut Session<'_>) -> Result<()> {
    let (file, bundle) = session.signed_file("program.txt", "the good program")?;
    session.say("\n# the operator begins a new shard of Rekor v1:");
    begin_shard(session)?;
    session.expect_ok(&["restart", "trillian", "rekor-v1"])?;
    let whole = session.env("WORKSHOP_TRUSTED_ROOT")?.to_owned();
    let newest = session.edit(
        Path::new(&whole),
        "newest-key-only.json",
        "publish the newest key of the log alone",
        |root| {
            // Two shards that began in the same second stand in any order, but only
            // the newest one has no end.
            let newest = |log: &Value| log["publicKey"]["validFor"]["end"].is_null();
            if let Some(logs) = root["tlogs"].as_array_mut() {
                logs.retain(newest);
            }
        },
    )?;
    let newest = newest.to_string_lossy().into_owned();
    let bundle = bundle.to_string_lossy().into_owned();
    let with = |root: &str| {
        [
            "inspect-rekor",
            "--blob",
            &file,
            "--bundle",
            &bundle,
            "--trusted-root",
            root,
        ]
        .map(str::to_owned)
    };
    session.expect_refusal(
        &with(&newest).each_ref().map(String::as_str),
        Checks(&[Link::Checkpoint, Link::Promise]),
        Output::Failures,
    )?;
    session.say("\n# the trusted root of the workshop keeps the keys of all shards:");
    session.expect_ok(&with(&whole).each_ref().map(String::as_str))
}

/// Has the next start make another key of Rekor v1, which signs an empty log.
fn begin_shard(session: &Session<'_>) -> Result<()> {
    let dir = session.installation();
    let mut settings = Settings::read(&dir)?.context("the lab has no installation")?;
    settings.turn(CountedKey::RekorV1);
    settings.retire();
    settings.write(&dir)
}

fn copied(session: &Session<'_>, from: &Path, to: &Path) -> Result<()> {
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(from).arg(to);
    session.expect_tool(copy)
}
