//! An output that nobody reads, and one that cannot be written.

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

/// What was printed is lost, and whoever runs the command must not take it for an answer.
#[test]
fn of_a_full_disk() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        eprintln!("skipped: this machine has no /dev/full");
        return;
    };
    let world = World::new().installed("v2");
    for line in [
        "--help",
        "--version",
        "status",
        "--json status",
        "env",
        "install --dry-run",
    ] {
        let mut command = world.command(line);
        command.stdout(full.try_clone().unwrap());
        let run = world.start_as_is(command).end();
        assert_eq!(run.exit, 2, "{line}: {}", run.err);
        let what = "error: the output cannot be written: No space left on device (os error 28)";
        assert!(run.err.contains(what), "{line}: {}", run.err);
        assert!(run.err.contains("\nhint: "), "{line}: {}", run.err);
    }
}
