//! `uninstall` on the local target.

use std::fs;

use serde_json::Value;
use snapbox::{assert_data_eq, str};
use xtask::local::process;

use crate::support::fakes::GO;
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
    let kept = world.path("kept");
    fs::create_dir(&kept).unwrap();
    std::process::Command::new("cp")
        .arg("-R")
        .arg(world.local().join("run"))
        .arg(&kept)
        .status()
        .unwrap();
    world.run("uninstall --yes --from state");
    let alive = process::running(&kept, "dex").unwrap().is_some();
    let gone = !world.local().exists();
    for record in fs::read_dir(kept.join("run")).unwrap() {
        let name = record.unwrap().path().with_extension("");
        process::halt(&kept, name.file_name().unwrap().to_str().unwrap(), &[]).unwrap();
    }
    assert!(!(alive && gone), "Dex runs and nobody knows of it");
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
