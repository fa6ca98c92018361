//! `install` on the local target: what it runs, and what keeps it from it.

use std::fs;

use serde_json::Value;
use snapbox::{assert_data_eq, str};

use crate::support::fakes::GO;
use crate::support::ports::take;
use crate::support::snapshot::{snapshot, sorted};
use crate::support::wait::gone;
use crate::support::world::World;

#[test]
fn install_builds_makes_and_starts_everything() {
    let world = World::on_free_ports();
    let answers = world.answer_for_servers();
    world
        .run(&format!("install --port-base {}", world.base))
        .ok();
    snapshot("calls-install.txt", &sorted(&world.forget_calls()));

    // What is added is all that runs.
    world.run("install --rekor both").ok();
    snapshot(
        "calls-install-rekor-v1-too.txt",
        &sorted(&world.forget_calls()),
    );

    // Nothing of it is done twice.
    let again = world.run("install").ok();
    assert_eq!(
        again.out,
        "nothing to do: everything is installed and runs\n"
    );
    let calls = world.forget_calls();
    assert_eq!(calls.lines().count(), 1, "{calls}");
    assert!(calls.contains("'publish' '--check'"), "{calls}");

    let status = world.run("status --json").ok().events();
    let components = status[0]["components"].as_array().unwrap();
    assert_eq!(components.len(), 11);
    let log_size = |name: &str| {
        let component = components
            .iter()
            .find(|component| component["name"] == name);
        component.unwrap()["log_size"].clone()
    };
    assert_eq!(log_size("tiles"), 3);
    assert_eq!(log_size("rekor-v1"), 4);
    assert_eq!(log_size("ctlog"), 12);

    // Stopped servers are gone.
    let pid = |component: &Value| component["pid"].as_u64().unwrap().try_into().unwrap();
    let pids: Vec<u32> = components.iter().map(pid).collect();
    assert_eq!(world.run("stop").ok().out, "stopped\n");
    assert!(pids.iter().all(|pid| gone(*pid)), "{pids:?}");
    let again = world.run("stop").ok();
    assert_eq!(again.out, "nothing to do: nothing runs\n");
    drop(answers);

    assert_eq!(world.run("uninstall --yes").ok().exit, 0);
    assert!(!world.state.exists() && !world.servers().exists());
}

/// What a user sees of an install on this world's ports.
fn install(world: &World) -> String {
    world.show(&[&format!("install -q --port-base {}", world.base)])
}

#[test]
fn go_is_missing() {
    let world = World::on_free_ports();
    fs::remove_file(world.path("bin/go")).unwrap();
    assert_data_eq!(
        install(&world),
        str![[r#"
$ cargo xtask install -q --port-base [PORT+0]
error: what is needed is not there (go: not found on the PATH)
hint: install Go [..] or newer: https://go.dev/dl/[..]
exit 1

"#]]
    );
}

#[test]
fn go_is_too_old() {
    let world = World::on_free_ports();
    world.fake("go", &GO.replace("go1.99.0", "go1.24.1"));
    assert_data_eq!(
        install(&world),
        str![[r#"
$ cargo xtask install -q --port-base [PORT+0]
error: what is needed is not there (go: go1.24.1 at [TEMP]/bin/go)
hint: install Go [..] or newer: https://go.dev/dl/[..]
exit 1

"#]]
    );
    assert!(!world.servers().exists());
}

#[test]
fn go_answers_nonsense() {
    let world = World::on_free_ports();
    let seen = ["echo devel", "exit 1"].map(|does| {
        world.fake("go", does);
        install(&world)
    });
    assert_data_eq!(
        seen.concat(),
        str![[r#"
$ cargo xtask install -q --port-base [PORT+0]
error: what is needed is not there (go: devel at [TEMP]/bin/go)
hint: install Go [..] or newer: https://go.dev/dl/[..]
exit 1
$ cargo xtask install -q --port-base [PORT+0]
error: what is needed is not there (go: no version at [TEMP]/bin/go)
hint: install Go [..] or newer: https://go.dev/dl/[..]
exit 1

"#]]
    );
}

#[test]
fn a_port_is_taken() {
    let world = World::on_free_ports();
    let _taken = take(world.base + 4);
    assert_data_eq!(
        install(&world),
        str![[r#"
$ cargo xtask install -q --port-base [PORT+0]
error: what is needed is not there (ports: port [PORT+4] on 127.0.0.1 is taken [..])
hint: use other ports: cargo xtask --state [STATE] install --port-base [..]
exit 1

"#]]
    );
    assert!(!world.servers().exists());
}

/// The ports of what will run are looked at, and not those of every installation.
#[test]
fn a_port_of_rekor_v1_is_taken() {
    let world = World::on_free_ports();
    let _answers = world.answer_for_servers();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", world.base + 9)).unwrap();
    let run = world.run(&format!("install -q --rekor v1 --port-base {}", world.base));
    assert_eq!(run.exit, 1, "{}", run.seen());
    assert!(!world.servers().exists(), "it was built all the same");
}

#[test]
fn ports_that_are_none() {
    let world = World::new();
    let ports = ["80", "65501", "99999", "-1", "many"];
    let lines = ports.map(|port| format!("install --port-base={port}"));
    assert_data_eq!(
        world.show(&lines.each_ref().map(String::as_str)),
        str![[r#"
$ cargo xtask install --port-base=80
[REFUSED: "80", "--port-base <N>"]
exit 2

$ cargo xtask install --port-base=65501
[REFUSED: "65501", "--port-base <N>"]
exit 2

$ cargo xtask install --port-base=99999
[REFUSED: "99999", "--port-base <N>"]
exit 2

$ cargo xtask install --port-base=-1
[REFUSED: "-1", "--port-base <N>"]
exit 2

$ cargo xtask install --port-base=many
[REFUSED: "many", "--port-base <N>"]
exit 2

"#]]
    );
}

/// The tool's own words come first, unless it is known what they mean.
#[test]
fn the_build_fails() {
    let world = World::on_free_ports();
    let seen = ["no space left on device", "main.go:1:1: expected 'package'"].map(|says| {
        let fails = format!("echo \"{says}\" >&2; exit 1");
        world.fake("go", &GO.replace("echo example.com/one >&2", &fails));
        install(&world)
    });
    assert_data_eq!(
        seen.concat(),
        str![[r#"
$ cargo xtask install -q --port-base [PORT+0]
error: the disk is full
hint: make room, then run the same command again: df -h (a first build needs about 6 GB for Go's caches)
exit 2
$ cargo xtask install -q --port-base [PORT+0]
  | main.go:1:1: expected 'package'
error: go failed with exit status: 1
exit 2

"#]]
    );
    assert!(!world.servers().exists());
}

#[test]
fn a_step_that_is_none() {
    let world = World::new().installed("v2");
    let seen = world.show(&["install --from nobody"]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask install --from nobody
on local (named by --on)
error: `install` has no step named "nobody"
hint: its steps are: preflight, modules, servers, keys, configure, dex, ctlog, ct-tiles, fulcio, timestamp, rekor-v2, tiles, registry, tuf, first-entry-v2, trust, publish, sample
exit 2

"#]]
    );
    assert_eq!(world.calls(), "");
}
