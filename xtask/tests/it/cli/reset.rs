//! `reset`: what it would run, and what it leaves alone.

use snapbox::{assert_data_eq, str};

use crate::support::cluster::Cluster;
use crate::support::snapshot::{each_step_once, snapshot};
use crate::support::world::World;

#[test]
fn what_resets_would_run() {
    let world = World::new().installed("v2");
    // What the first two undo is an uninstall, and what the last ones do is of one
    // kind.
    let chapters = ["tools", "place", "identity", "authority", "logs", "install"];
    let lines = [&chapters[..], &["sign", "verify", "attestations"]].concat();
    let lines: Vec<String> = lines
        .iter()
        .map(|chapter| format!("reset {chapter} --dry-run -q"))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    snapshot("plans-reset.txt", &each_step_once(&world.show(&lines)));
    assert_eq!(world.calls(), "", "a dry run must not run anything");
    let cluster = Cluster::new();
    cluster.run("install").ok();
    cluster.forget_changes();
    snapshot(
        "plans-reset-cluster.txt",
        &each_step_once(&cluster.shows(&lines)),
    );
    assert_eq!(cluster.changes(), "");
}

/// Nobody is asked where nobody can answer.
#[test]
fn a_reset_asks() {
    let world = World::new().installed("v2");
    let run = world.run("reset sign");
    assert_eq!(run.exit, 2);
    assert!(run.err.contains("hint: add --yes"), "{}", run.err);
}

/// Where nothing is installed there is nothing to undo, and nothing is made.
#[test]
fn a_reset_of_nothing() {
    let world = World::new();
    for chapter in ["place", "identity", "install", "sign", "attestations"] {
        world.run(&format!("reset {chapter} --yes")).ok();
    }
    assert_eq!(world.calls(), "");
    assert!(!world.state.exists());
}

/// What someone else installed on the cluster stays, as it does in an uninstall.
#[test]
fn a_reset_of_what_others_installed() {
    let cluster = Cluster::new();
    cluster.run("install").ok();
    cluster.forget_changes();
    let theirs = |line: &str| {
        let mut command = cluster.bare();
        command.args(["--on", "cluster", "--state"]);
        command.arg(cluster.path("other")).args(line.split(' '));
        cluster.end(command)
    };
    for chapter in ["place", "identity", "authority", "logs", "install"] {
        let run = theirs(&format!("reset {chapter} --yes"));
        assert_eq!(run.exit, 2, "{chapter}: {}", run.seen());
        assert!(
            run.err.contains("name the cluster: --context"),
            "{}",
            run.err
        );
        assert_eq!(cluster.changes(), "", "{chapter}");
    }
    // What labs did is remembered wherever Sigstore runs.
    theirs("reset break-it --yes").ok();
    theirs("reset identity --yes --context test").ok();
    assert!(cluster.changes().contains("'clusterrolebindings'"));
}

/// What was signed is not forgotten where it cannot be taken out of the registry.
#[test]
fn a_registry_that_does_not_answer() {
    let world = World::new().installed("v2");
    world.write_state("local/signatures.json", "[]");
    world.add_program("curl", "echo 'curl: (7) Failed to connect' >&2; exit 7");
    assert_data_eq!(
        world.show(&["reset sign --yes -q"]),
        str![[r#"
$ cargo xtask reset sign --yes -q
  | curl: (7) Failed to connect
error: no answer from https://127.0.0.1:17810/v2/sample/manifests/latest
hint: cargo xtask --state [STATE] status
exit 2

"#]]
    );
    assert!(world.local().join("signatures.json").exists());
}
