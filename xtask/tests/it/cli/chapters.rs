//! `chapters`, `next`, `check` and `hint`: what is said to do, and what is seen to be
//! done.

use serde_json::Value;
use snapbox::{assert_data_eq, str};

use crate::support::cluster::Cluster;
use crate::support::snapshot::snapshot;
use crate::support::world::World;

/// The servers are built and nothing else is done: the reader is told where to begin,
/// and hints become the answer at last.
#[test]
fn at_the_beginning() {
    let world = World::on_free_ports().installed("v2");
    std::fs::remove_file(world.local().join("trust/trusted_root.json")).unwrap();
    let lines = [
        "chapters -q",
        "next -q",
        "check -q",
        "hint 2 -q",
        "hint place -q",
        "hint 2 -q",
        "hint 2 -q",
        "check why -q",
        "hint 0 -q",
        "reset 0 -q",
        "check 14 -q",
        "reset sing -q",
    ];
    snapshot("chapters.txt", &world.show(&lines));
}

/// After a stop nothing is to be done again: it is to be started again.
#[test]
fn after_a_stop() {
    let world = World::on_free_ports().installed("v2");
    let memory = r#"{"local": {"chapters": {"place": "now", "install": "now"}}}"#;
    world.write_state("progress.json", memory);
    assert_data_eq!(
        world.show(&["next -q", "check -q"]),
        str![[r#"
$ cargo xtask next -q
Chapter 2, Where it runs: [REPO]/docs/02-place.md
A Sigstore needs somewhere to run, and a registry beside it. This chapter was done, and servers stopped since: start what does not run.
next: cargo xtask --state [STATE] start
exit 0

$ cargo xtask check -q
Chapter 2, Where it runs: [REPO]/docs/02-place.md
✗ the registry runs, as a process of this machine
error: chapter 2 (Where it runs) was done, and no longer is
hint: servers stopped since: cargo xtask --state [STATE] start
exit 1

"#]]
    );
}

#[test]
fn on_a_cluster_each_part_is_seen() {
    let cluster = Cluster::new();
    for (chapter, parts) in [
        ("identity", &["oidc-reviewer"][..]),
        ("authority", &["cert-manager", "issuer", "scaffold"]),
        ("logs", &["copy-secrets"]),
        ("install", &["install"]),
    ] {
        let check = format!("check {chapter}");
        assert_eq!(cluster.run(&check).exit, 1, "{chapter}");
        for part in parts {
            assert_eq!(cluster.run(&check).exit, 1, "{chapter} before {part}");
            // What comes later is not broken for it.
            let listed = cluster.run("chapters").ok().out;
            assert!(!listed.contains("broken"), "before {part}: {listed}");
            cluster.run(part).ok();
        }
        let run = cluster.run(&check).ok();
        assert!(run.out.contains("is done\n"), "{}", run.out);
    }
    let listed = cluster.run("--json chapters").ok();
    let listed: Value = serde_json::from_str(listed.raw.lines().next().unwrap()).unwrap();
    assert_eq!(listed["target"], "cluster");
    assert_eq!(listed["chapters"][6]["state"], "done");
}

/// A deed is remembered by the command that did it, and only where it was done.
#[test]
fn deeds() {
    let world = World::new().installed("v2");
    let deeds = || -> Vec<String> {
        let text = std::fs::read_to_string(world.state.join("progress.json"));
        let Ok(text) = text else { return Vec::new() };
        let progress: Value = serde_json::from_str(&text).unwrap();
        let deeds = progress["local"]["deeds"].as_object().unwrap();
        deeds.keys().cloned().collect()
    };
    world.run("verify --dry-run").ok();
    assert_eq!(deeds(), Vec::<String>::new());
    // Of the steps only cosign's, which is a fake.
    world.run("verify --from verify").ok();
    assert_eq!(deeds(), ["verify"]);
    assert_eq!(world.run("check verify").exit, 1);
    world.fake("cosign", "echo 'no signatures found' >&2; exit 1");
    // That nothing is signed says nothing of whoever is expected.
    assert_eq!(world.run("verify --from verify").exit, 1);
    assert_eq!(deeds(), ["verify"]);
    assert_eq!(
        world
            .run("verify --from verify --identity m@example.com")
            .exit,
        1
    );
    assert_eq!(deeds(), ["refusal", "verify"]);
    world.run("check verify").ok();
    // Undone, and not done twice by what was remembered.
    world.run("reset verify --yes").ok();
    assert_eq!(deeds(), Vec::<String>::new());
    assert_eq!(world.run("check verify").exit, 1);
}

/// A file that can be read can be edited: one that is damaged is named, and stays.
#[test]
fn a_damaged_memory() {
    let world = World::new().installed("v2");
    world.write("state/progress.json", "{\"local\": 7");
    let seen = world.show(&["chapters -q", "check verify -q", "verify -q"]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask chapters -q
error: [STATE]/progress.json is damaged: invalid type: integer `7`, expected struct Progress at line 1 column 11
hint: it only remembers how far you are, so it can go: rm [STATE]/progress.json
exit 2

$ cargo xtask check verify -q
error: [STATE]/progress.json is damaged: invalid type: integer `7`, expected struct Progress at line 1 column 11
hint: it only remembers how far you are, so it can go: rm [STATE]/progress.json
exit 2

$ cargo xtask verify -q
error: [STATE]/local/trust/trusted_root.json: that is no trusted root: missing field `mediaType`
exit 2

"#]]
    );
    let left = std::fs::read_to_string(world.state.join("progress.json")).unwrap();
    assert_eq!(left, "{\"local\": 7");
}

/// Numbers that no reader can come to.
#[test]
fn a_memory_of_too_many_hints() {
    let world = World::new().installed("v2");
    let tasks = [
        "the sample image is signed",
        "a file is signed, and lies beside its bundle",
    ];
    let hints: serde_json::Map<String, Value> = tasks
        .iter()
        .map(|task| (format!("sign: {task}"), u64::MAX.into()))
        .collect();
    let memory = serde_json::json!({"local": {"hints": hints}});
    world.write_state("progress.json", &memory.to_string());
    std::fs::remove_file(world.local().join("trust/trusted_root.json")).unwrap();
    let listed = world.run("--json chapters").ok().events();
    assert_eq!(listed[0]["chapters"][7]["hints"], 6);
    let run = world.run("hint sign").ok();
    assert!(run.out.contains("hint 3 of 3: Type: "), "{}", run.out);
}

/// What comes from outside moves no cursor.
#[test]
fn what_is_seen_is_printable() {
    let world = World::new().installed("v2");
    let memory = r#"{"local": {"deeds": {"verify": "\u001b[2Jnow"}}}"#;
    world.write_state("progress.json", memory);
    let run = world.run("check verify");
    assert_eq!(run.exit, 1);
    assert!(run.out.contains("[2Jnow)"), "{}", run.out);
    assert!(!run.out.contains('\u{1b}'), "{:?}", run.out);
}

/// Before an install is complete nothing is broken that was not done.
#[test]
fn an_installation_without_trust() {
    let world = World::new().installed("v2");
    std::fs::remove_file(world.local().join("trust/trusted_root.json")).unwrap();
    let listed = world.run("--json chapters").ok().events();
    for number in [7, 12] {
        let chapter = &listed[0]["chapters"][number];
        assert_eq!(chapter["state"], "not yet", "{chapter}");
    }
    assert_eq!(world.run("check sign").exit, 1);
}

/// A cluster that was never there is not broken: its chapters are still to come.
#[test]
fn before_there_is_a_minikube() {
    let cluster = Cluster::minikube();
    let listed = cluster.run("chapters").ok();
    assert!(!listed.out.contains("broken"), "{}", listed.out);
    assert_eq!(cluster.run("check identity").exit, 1);
    let next = cluster.run("--json next").ok().events();
    assert_eq!(next.last().unwrap()["next"], "cargo xtask minikube");
}
