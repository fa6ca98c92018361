//! The labs in which the operator of a log is the attacker, or careless.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use super::{Lab, Stage};

/// The log is put back to an older copy, and goes on differently.
pub const TWO_HISTORIES: Lab = Lab {
    name: "two-histories",
    title: "the operator of the log rewrites its history",
    story: &[
        "Alice signs something, and somebody looks at the log: it holds two entries.",
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

fn two_histories(stage: &mut Stage<'_>) -> Result<()> {
    let storage = stage.installation().join("data/rekor-v2");
    let copy = stage.file("older-copy");
    stage.runs(&["sign"])?;
    stage.runs(&["stop", "rekor-v2"])?;
    stage.say("\n# the operator keeps a copy of the storage");
    copied(stage, &storage, &copy)?;
    stage.runs(&["start"])?;
    stage.runs(&["sign"])?;
    stage.runs(&["inspect-rekor"])?;
    stage.runs(&["stop", "rekor-v2"])?;
    stage.say("\n# he puts the older copy back: the second entry was never there");
    std::fs::remove_dir_all(&storage)?;
    copied(stage, &copy, &storage)?;
    stage.runs(&["restart", "tiles", "rekor-v2"])?;
    stage.refused_shortly(
        &["inspect-rekor", "--log-index", "0"],
        "the log has two histories: it shrank",
    )?;
    stage.say("\n# the log goes on, and soon it is as long as before");
    stage.runs(&["sign", "--as", "bob"])?;
    stage.refused_shortly(&["inspect-rekor"], "the log has two histories: two roots")
}

/// A log begins anew with another key.
pub const CHANGED_KEY: Lab = Lab {
    name: "changed-key",
    title: "the key of Rekor changes at a restart",
    story: &[
        "The chart's Rekor makes its key in memory: after a restart it signs with another one.",
        "Trillian here does the same with its trees, so a restart begins a new shard of Rekor v1.",
        "A careless operator publishes a trusted root that names the new key only.",
    ],
    question: "What becomes of what was signed before the restart?",
    answer: &[
        "With the new key alone, nobody can check the old promise and the old checkpoint.",
        "A trusted root names the key of every shard with the time in which it counted.",
        "So the old signature still verifies, though its log is gone: the bundle holds all of the proof.",
    ],
    options: &["--rekor", "v1"],
    run: changed_key,
};

fn changed_key(stage: &mut Stage<'_>) -> Result<()> {
    let (file, bundle) = stage.signed_file("program.txt", "the good program")?;
    stage.runs(&["restart", "trillian"])?;
    let whole = stage.env("WORKSHOP_TRUSTED_ROOT")?.to_owned();
    let newest = stage.edit(
        Path::new(&whole),
        "newest-key-only.json",
        "publish the newest key of the log alone",
        |root| {
            if let Some(logs) = root["tlogs"].as_array_mut() {
                let newest = logs.pop();
                *logs = newest.into_iter().collect::<Vec<Value>>();
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
    stage.refused_shortly(
        &with(&newest).each_ref().map(String::as_str),
        "not proved: checkpoint, promise",
    )?;
    stage.say("\n# the trusted root of the workshop keeps the keys of all shards:");
    stage.runs(&with(&whole).each_ref().map(String::as_str))
}

fn copied(stage: &Stage<'_>, from: &Path, to: &Path) -> Result<()> {
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(from).arg(to);
    stage.tool(copy)
}
