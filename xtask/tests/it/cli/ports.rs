//! Which ports an installation takes where none is named.

use std::net::TcpListener;

use snapbox::{assert_data_eq, str};

use crate::support::world::World;

/// The lowest port that an install would take, where no variable names one.
fn found(world: &World) -> u16 {
    let mut command = world.command("install --dry-run");
    command.env_remove("WORKSHOP_PORT_BASE");
    let plan = world.end(command).ok().out;
    let base = plan.split("step configure --port-base ").nth(1).unwrap();
    base.split(' ').next().unwrap().parse().unwrap()
}

/// As the installation of a state directory of the same user says it.
fn claim(world: &World, target: &str, base: u16) {
    let dir = world.path(target);
    let servers = world.servers();
    world.write(
        &format!("cache/installations/{base}.json"),
        &format!(r#"{{"dir": {dir:?}, "port_base": {base}, "servers": {servers:?}}}"#),
    );
}

#[test]
fn a_block_in_which_one_is_taken_is_left_out() {
    let world = World::new();
    // Whoever else has it, it is taken.
    let _taken = TcpListener::bind("127.0.0.1:17807");
    let base = found(&world);
    assert!(base > 17_800 && base.is_multiple_of(100), "{base}");
}

/// Of what was removed, that is what is remembered.
#[test]
fn an_installation_gets_the_ports_that_it_had() {
    let world = World::new();
    claim(&world, "state/local", 32_000);
    assert_eq!(found(&world), 32_000);
}

/// It may be stopped just now.
#[test]
fn those_of_another_installation_are_left_out() {
    let world = World::new();
    let base = found(&world);
    claim(&world, "other/local", base);
    assert_eq!(found(&world), base, "it is not installed");
    world.write("other/local/settings.json", "{}");
    let next = found(&world);
    assert!(next > base && next.is_multiple_of(100), "{next}");
}

#[test]
fn a_variable_names_them() {
    let world = World::new();
    let run = |value: &str| {
        let mut command = world.command("start dex --dry-run");
        command.env("WORKSHOP_PORT_BASE", value);
        world.end(command)
    };
    assert_data_eq!(
        run("17x").err,
        str![[r#"
on local (named by --on)
error: WORKSHOP_PORT_BASE is 17x, which is no port base
hint: a port from 1024 to 65000, above which there is room for twenty

"#]]
    );
    let world = World::new().installed("v2");
    let mut command = world.command("start dex --dry-run");
    command.env("WORKSHOP_PORT_BASE", "21000");
    let plan = world.end(command).ok().out;
    assert!(plan.contains("http://127.0.0.1:21000/dex"), "{plan}");
    // What is typed counts before it.
    let plan = world.run("restart --port-base 22000 --dry-run").ok().out;
    assert!(plan.contains("http://127.0.0.1:22000/dex"), "{plan}");
}

/// What another installation runs stays: it may run just now.
#[test]
fn the_servers_of_another_installation_stay() {
    let world = World::new().installed("v2");
    claim(&world, "other/local", 21_000);
    world.write("other/local/settings.json", "{}");
    assert!(!world.run("uninstall --dry-run").ok().out.contains("tools"));
    let out = world.run("uninstall --yes").ok().out;
    let stays = "the built servers stay: the Sigstore of [TEMP]/other has the same\n";
    assert!(out.ends_with(stays), "{out}");
    assert!(world.servers().exists() && !world.state.exists());
}
