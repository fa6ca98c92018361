//! `uninstall` on the local target.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use snapbox::{assert_data_eq, str};

use crate::support::fakes::GO;
use crate::support::wait::gone;
use crate::support::world::World;

#[test]
fn it_asks_and_nobody_answers() {
    let world = World::new().installed("v2");
    assert_data_eq!(
        world.show(&["uninstall"]),
        str![[r#"
$ cargo xtask uninstall
on local (named by --on)
error: uninstall asks first, and nobody is here to answer
hint: add --yes
exit 2

"#]]
    );
    assert!(world.local().join("settings.json").exists() && world.servers().exists());
}

/// A build that was cut off is removed as well.
#[test]
fn nothing_is_left_of_a_build_that_failed() {
    let world = World::on_free_ports();
    world.fake("go", &GO.replace("echo example.com/two >&2", "exit 1"));
    world.run(&format!("install --port-base {}", world.base));
    world.run("uninstall --yes").ok();
    let left: Vec<_> = fs::read_dir(world.path("cache/servers")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The way out that is hinted at is one.
#[test]
fn a_damaged_record() {
    let world = World::new().installed("v2");
    world.write_state("local/run/dex.json", "{");
    world.run("uninstall --yes --keep-tools").ok();
    assert!(!world.state.exists());
}

/// Without their records nobody can stop the servers.
#[test]
fn from_a_step_on() {
    let world = World::on_free_ports();
    let _answers = world.answer_for_servers();
    world
        .run(&format!("install --port-base {}", world.base))
        .ok();
    let status = world.run("status --json").ok().events();
    let components = status[0]["components"].as_array().unwrap();
    let pid = |component: &Value| component["pid"].as_u64().unwrap().try_into().unwrap();
    let pids: Vec<u32> = components.iter().map(pid).collect();
    world.run("uninstall --yes --from state");
    let alive: Vec<u32> = pids.into_iter().filter(|pid| !gone(*pid)).collect();
    for pid in &alive {
        let pid = Pid::from_raw(i32::try_from(*pid).unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
    }
    let state_is_gone = !world.local().exists();
    assert!(
        alive.is_empty() || !state_is_gone,
        "{alive:?} run and nobody knows of it"
    );
}

/// An uninstall removes the memory of its target, also one that cannot be read, and
/// that of no other.
#[test]
fn progress_is_forgotten() {
    let world = World::new().installed("v2");
    world.write_state("progress.json", "{\"local\": 7");
    world.run("uninstall --yes --keep-tools").ok();
    assert!(!world.state.exists());

    let world = World::new().installed("v2");
    let memory =
        r#"{"local": {"deeds": {"verify": "now"}}, "cluster": {"deeds": {"report": "now"}}}"#;
    world.write_state("progress.json", memory);
    world.run("uninstall --yes --keep-tools").ok();
    let left = std::fs::read_to_string(world.state.join("progress.json")).unwrap();
    let left: Value = serde_json::from_str(&left).unwrap();
    assert_eq!(left["local"], Value::Null);
    assert_eq!(left["cluster"]["deeds"]["report"], "now");
}
