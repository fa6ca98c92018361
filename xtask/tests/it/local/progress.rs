//! The loop of the chapters on real servers: what breaks is seen to be broken, and a
//! reset goes back as far as there is a way.

use std::path::Path;

use serde_json::Value;

use crate::support::run::{command, end};
use crate::support::workshop::Workshop;

/// What is said of a chapter.
fn state(workshop: &Workshop, number: usize) -> String {
    let listed = workshop.run(&["--json", "chapters"]).ok().json();
    let chapter = &listed["chapters"][number];
    assert_eq!(chapter["number"], number);
    chapter["state"].as_str().unwrap().to_owned()
}

/// Whether the check of a chapter holds.
fn holds(workshop: &Workshop, chapter: &str) -> bool {
    let ended = workshop.run(&["--json", "check", chapter]);
    let held = ended.exit == 0;
    assert!(held || ended.exit == 1, "{}{}", ended.out, ended.err);
    let said = ended.json();
    assert_eq!(said["ok"], held, "{said}");
    held
}

#[test]
fn what_breaks_is_seen_and_mended() {
    let workshop = Workshop::installed(&[]);
    // That everything runs is not what the chapters have a reader do.
    let states = [2, 3, 4, 5, 6].map(|chapter| state(&workshop, chapter));
    assert_eq!(states, ["done", "not yet", "not yet", "not yet", "done"]);
    // Neither is a signature that a command made.
    workshop.run(&["sign"]).ok();
    for chapter in [3, 4, 5] {
        assert_eq!(state(&workshop, chapter), "not yet");
    }
    attest(&workshop);
    for chapter in [2, 3, 4, 5, 6] {
        assert_eq!(state(&workshop, chapter), "done");
    }
    workshop.run(&["reset", "7", "--yes"]).ok();
    workshop.kill("dex");
    assert_eq!(state(&workshop, 3), "broken");
    assert_eq!(state(&workshop, 4), "done");
    assert_eq!(state(&workshop, 6), "broken");
    let listed = workshop.run(&["chapters"]).ok();
    let why = "this no longer holds: Dex runs";
    assert!(listed.out.contains(why), "{}", listed.out);
    let next = workshop.run(&["--json", "next"]).ok().json();
    assert_eq!(next["next"], "cargo xtask start dex");
    workshop.run(&["start", "dex"]).ok();
    assert_eq!(state(&workshop, 3), "done");
    // Nothing was signed, which is not yet and not broken.
    assert_eq!(state(&workshop, 7), "not yet");
    workshop.run(&["sign"]).ok();
    // What cannot be looked at is broken, and why is said.
    std::fs::write(workshop.dir().join("signatures.json"), "{").unwrap();
    assert_eq!(state(&workshop, 7), "broken");
    workshop
        .run(&["check", "sign"])
        .fails(2, "signatures.json is damaged");
}

#[test]
fn chapters_are_undone_and_done_again() {
    let workshop = Workshop::installed(&[]);
    let file = workshop.temp.path().join("hello.txt");
    std::fs::write(&file, "hello").unwrap();
    let name = file.to_str().unwrap();
    let sign = || {
        workshop.run(&["sign"]).ok();
        workshop.run(&["sign", "--blob", name]).ok();
    };
    sign();
    attest(&workshop);
    assert!(holds(&workshop, "sign") && holds(&workshop, "attestations"));

    // Of what the sample carries, the attestation alone.
    workshop.run(&["reset", "attestations", "--yes"]).ok();
    assert!(holds(&workshop, "sign") && !holds(&workshop, "attestations"));
    workshop.run(&["verify"]).ok();
    attest(&workshop);
    assert!(holds(&workshop, "attestations"));

    let size = || workshop.run(&["--json", "status"]).ok().json()["components"].clone();
    let entries = |components: Value| {
        let mut all = components.as_array().unwrap().iter();
        let tiles = all.find(|component| component["name"] == "tiles");
        tiles.unwrap()["log_size"].clone()
    };
    let before = entries(size());
    let said = workshop.run(&["reset", "7", "--yes"]).ok().out;
    assert!(said.contains("The log entries stay"), "{said}");
    assert!(!holds(&workshop, "sign") && !holds(&workshop, "attestations"));
    workshop.run(&["verify"]).fails(1, "carries no signature");
    assert_eq!(entries(size()), before, "a log forgot something");
    // The bundle is the reader's own.
    workshop.run(&["verify", "--blob", name]).ok();
    sign();
    assert!(holds(&workshop, "sign"));

    for (chapter, command) in [
        ("identity", &["start", "dex"][..]),
        ("authority", &["start", "fulcio", "ctlog", "ct-tiles"]),
        ("logs", &["start", "rekor-v2", "tiles"]),
        ("install", &["install"]),
    ] {
        assert!(holds(&workshop, chapter), "{chapter}");
        workshop.run(&["reset", chapter, "--yes"]).ok();
        assert!(!holds(&workshop, chapter), "{chapter}");
        workshop.run(command).ok();
        if chapter == "identity" {
            assert!(!holds(&workshop, chapter), "that Dex runs is not enough");
            token(&workshop);
        }
        assert!(holds(&workshop, chapter), "{chapter}");
    }
    workshop.run(&["verify"]).ok();
    workshop.run(&["inspect-rekor"]).ok();
    assert!(!holds(&workshop, "verify"), "nobody was refused");
    workshop
        .run(&["verify", "--identity", "mallory@example.com"])
        .fails(1, " was expected");
    assert!(holds(&workshop, "verify"));

    // Whoever is back before a chapter is before the later ones as well.
    attest(&workshop);
    assert!(holds(&workshop, "attestations"));
    workshop.run(&["reset", "8", "--yes"]).ok();
    for chapter in ["verify", "inspect", "attestations"] {
        assert!(!holds(&workshop, chapter), "{chapter}");
    }
    assert!(holds(&workshop, "sign"));

    // A copy of a bundle that was made here is no other client's.
    let copy = workshop.temp.path().join("copy.json");
    std::fs::copy(format!("{name}.sigstore.json"), &copy).unwrap();
    let copy = copy.to_str().unwrap();
    workshop
        .run(&["inspect-rekor", "--bundle", copy, "--blob", name])
        .ok();
    assert!(!holds(&workshop, "clients"));

    // Before there is a place, there is nothing.
    workshop.run(&["reset", "place", "--yes"]).ok();
    assert!(!workshop.dir().exists());
    for chapter in 2..13 {
        assert_eq!(state(&workshop, chapter), "not yet");
    }
    // The usual ports, which it would take now, may be those of another one.
    let tools = workshop.run(&["--json", "check", "tools"]).json();
    assert_eq!(
        tools["tasks"][1]["ok"], true,
        "what was built stays: {tools}"
    );
}

/// A token of alice's in a file.
fn token(workshop: &Workshop) -> String {
    let token = workshop.temp.path().join("token").display().to_string();
    workshop
        .run(&["step", "token", "--as", "alice", "--out", &token])
        .ok();
    token
}

/// Has cosign attest something about the sample.
fn attest(workshop: &Workshop) {
    let predicate = workshop.temp.path().join("predicate.json");
    let predicate = predicate.display().to_string();
    std::fs::write(&predicate, "{\"tested\": true}").unwrap();
    let token = token(workshop);
    let env = |name: &str| workshop.env(name);
    let sample = env("WORKSHOP_SAMPLE");
    let mut attest = command(
        Path::new(&env("WORKSHOP_COSIGN")),
        &["attest", "--yes", "--predicate", &predicate, "--type"],
    );
    attest
        .args(["https://example.org/tested", "--signing-config"])
        .arg(env("WORKSHOP_SIGNING_CONFIG"))
        .args(["--trusted-root", &env("WORKSHOP_TRUSTED_ROOT")])
        .args(["--registry-cacert", &env("WORKSHOP_REGISTRY_CA")])
        .args(["--identity-token", &token, &sample])
        .env("TUF_ROOT", env("TUF_ROOT"));
    end(attest).ok();
}
