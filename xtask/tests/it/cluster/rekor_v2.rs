//! Rekor v2 on a real cluster: what is signed verifies while every key turns, also where
//! the program is killed meanwhile, and an ended log is still read.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{WITHIN, World};
use crate::support::skip::not_here;

/// The keys that turn, each with the list of the trusted root that has one more then.
const KEYS: [(&str, Option<&str>); 6] = [
    ("timestamp", Some("timestampAuthorities")),
    ("fulcio", Some("certificateAuthorities")),
    ("ctlog", Some("ctlogs")),
    ("rekor", Some("tlogs")),
    ("registry", None),
    ("tuf", None),
];

#[test]
fn rekor_v2_on_a_real_cluster() {
    let Some(world) = World::of_environment() else {
        return not_here("WORKSHOP_TEST_CLUSTER names no cluster");
    };
    let before = world.empty();
    world
        .install(&["--rekor", "v2"])
        .ends(0, &["a private Sigstore is ready"]);
    world.install(&[]).ends(0, &["nothing to do"]);
    let image = world.push("survivor", "it was signed before");
    world.run(&["sign", &image]).ok();
    let mut signed = vec![sign(&world, 0)];
    for (i, (key, list)) in KEYS.into_iter().enumerate() {
        // Killed at its first step that is more than a look, it goes on.
        killed(&world, key, i);
        signed.push(sign(&world, 2 * i + 1));
        world.run(&["rotate", key]).ok();
        signed.push(sign(&world, 2 * i + 2));
        if let Some(list) = list {
            assert_eq!(count(&world, list), 2, "{key}");
        }
        hold(&world, &signed);
    }
    world.run(&["verify", &image]).ok();
    world.run(&["verify", "--from-host", &image]).ok();
    an_ended_log_is_read(&world);
    world.install(&[]).ok();
    world.install(&[]).ends(0, &["nothing to do"]);
    hold(&world, &signed);
    world.run(&["doctor"]).ends(0, &["no known problem found"]);
    world.run(&["uninstall", "--yes"]).ok();
    world.is_as(&before);
}

/// A file that was signed.
fn sign(world: &World, number: usize) -> PathBuf {
    let file = world.temp.path().join(format!("file {number}.txt"));
    std::fs::write(&file, number.to_string()).unwrap();
    let signs = || world.run(&["sign", "--blob", file.to_str().unwrap()]);
    // A log that a rotation left without a pod takes nothing until it goes on.
    let until = Instant::now() + WITHIN;
    loop {
        let run = signs();
        if run.exit == 0 {
            return file;
        }
        assert!(Instant::now() < until, "{}\n{}", run.out, run.err);
    }
}

/// All of these verify, and are proved.
#[track_caller]
fn hold(world: &World, signed: &[PathBuf]) {
    for file in signed {
        let file = file.to_str().unwrap();
        world.run(&["verify", "--blob", file]).ok();
        let bundle = format!("{file}.sigstore.json");
        world
            .run(&["inspect-rekor", "--bundle", &bundle, "--blob", file])
            .ok();
    }
}

/// How many entries a list of the trusted root has.
fn count(world: &World, list: &str) -> usize {
    let root = world.state().join("cluster/trust/trusted_root.json");
    let root: Value = serde_json::from_slice(&std::fs::read(root).unwrap()).unwrap();
    root[list].as_array().unwrap().len()
}

/// Begins to replace a key, and kills the program: of six, each a little later.
fn killed(world: &World, key: &str, i: usize) {
    let mut command = world.command(&["rotate", key]);
    command.stdout(std::process::Stdio::null());
    command.stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    let at = Instant::now() + Duration::from_millis(1000 + 700 * i as u64);
    while Instant::now() < at && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let _ = child.kill();
    child.wait().unwrap();
}

/// The first log holds what was signed before the second one began, and says which it
/// is.
fn an_ended_log_is_read(world: &World) {
    let entry = |more: &[&str]| {
        let words = ["--json", "inspect-rekor", "--log-index", "1"];
        let said = world.run(&[&words, more].concat()).ok().out;
        let entry: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        assert_eq!(entry["ok"], true, "{entry}");
        entry
    };
    let (first, newest) = (entry(&["--shard", "1"]), entry(&[]));
    assert_ne!(first["digest"], newest["digest"]);
    assert_eq!(entry(&["--shard", "2"])["digest"], newest["digest"]);
    let listed = world.run(&["log", "--rekor", "v2"]).ok().out;
    assert!(listed.lines().count() > 8, "{listed}");
    world
        .run(&["inspect-rekor", "--log-index", "1", "--shard", "3"])
        .ends(1, &["no shard 3"]);
}
