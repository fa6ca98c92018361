//! An output that nobody reads.

use std::io::pipe;

use crate::support::world::World;

/// As with `| head`: nobody reads on, and that is no reason to fail or to stop.
#[test]
fn of_a_success() {
    let world = World::on_free_ports().installed("v2");
    let _dex = world.dex();
    for line in [
        "--help",
        "install --dry-run",
        "env",
        "--json env",
        "-v sign",
        "--json verify --from verify",
        "stop",
    ] {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let mut command = world.command(line);
        command.stdout(writer);
        let run = world.start_as_is(command).end();
        assert_eq!(run.exit, 0, "{line}: {}", run.err);
        assert!(!run.err.contains("panicked"), "{line}: {}", run.err);
    }
    // It was done nevertheless.
    assert!(world.local().join("signatures.json").exists());
}

#[test]
fn of_a_failure() {
    let world = World::new().installed("v2");
    for line in [
        "sign --as nobody",
        "--json sign --as nobody",
        "--no-such-option",
    ] {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let mut command = world.command(line);
        command.stdout(writer);
        assert_eq!(world.start_as_is(command).end().exit, 2, "{line}");
    }
}
