//! From where the program can be run.

use std::path::Path;
use std::process::{Command, Stdio};

use snapbox::{assert_data_eq, str};

use crate::support::repo::repository;
use crate::support::run::xtask;
use crate::support::world::World;

#[test]
fn from_a_directory_of_the_repository() {
    let world = World::new().installed("v2");
    for dir in ["", "xtask/src", "deploy/local"] {
        let mut command = world.command("env");
        command
            .env_remove("CARGO_MANIFEST_DIR")
            .current_dir(repository().join(dir));
        world.end(command).ok();
    }
}

/// A copy of the program, because it also looks where it lies itself.
#[test]
fn from_elsewhere() {
    let world = World::new().installed("v2");
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("xtask");
    let mut cp = Command::new("cp");
    cp.arg(xtask()).arg(&copy).stdin(Stdio::null());
    assert!(cp.status().unwrap().success());
    let run = |dir: &Path| {
        let mut command = world.bare_of(&copy);
        command
            .env_remove("CARGO_MANIFEST_DIR")
            .arg("env")
            .env("WORKSHOP_STATE", &world.state);
        command.current_dir(dir);
        world.end(command)
    };
    // It was made from this checkout.
    run(elsewhere.path()).ok();
    run(repository()).ok();
    let mut command = world.command("env");
    command.env("WORKSHOP_DIR", elsewhere.path());
    assert_data_eq!(
        world
            .end(command)
            .seen()
            .replace(elsewhere.path().to_str().unwrap(), "[DIR]"),
        str![[r#"
error: WORKSHOP_DIR is [DIR], which is no checkout of the workshop
hint: name the directory that holds deploy/local/servers.yml
exit 2

"#]]
    );
    let mut command = world.command("env");
    command.env("WORKSHOP_DIR", repository());
    world.end(command).ok();
}
