//! `env`: the variables for other clients.

use std::path::Path;

use super::dry_run::shows;
use crate::support::world::World;

#[test]
fn for_each_reader() {
    let world = World::new().installed("both");
    shows(
        "env.txt",
        &world,
        &[
            "env",
            "env --format fish",
            "env --format json",
            "env --format github",
            "--json env",
        ],
    );
}

#[test]
fn a_shell_reads_those_of_any_path() {
    let world = World::with_an_odd_path();
    let mut command = world.bare_of(Path::new("sh"));
    command
        .args(["-c", r#"eval "$1" && echo "$WORKSHOP_TRUSTED_ROOT""#, "sh"])
        .arg(world.run("env").ok().raw);
    let run = world.end(command).ok();
    assert_eq!(run.out, "[STATE]/local/trust/trusted_root.json\n");
}

#[test]
fn a_shell_has_them_and_its_exit_status_is_that_of_the_command() {
    let world = World::new().installed("both");
    let mut command = world.command("shell --");
    let says = r#"echo "$WORKSHOP_TRUSTED_ROOT on $WORKSHOP_ON of $WORKSHOP_STATE"; exit 7"#;
    command.args(["sh", "-c", says]);
    let run = world.end(command);
    let said = "[STATE]/local/trust/trusted_root.json on local of [STATE]\n";
    assert_eq!((run.exit, run.out.as_str()), (7, said), "{}", run.err);

    // Without a command it is the user's shell, which reads what is typed.
    let typed = world.path("typed");
    std::fs::write(&typed, "echo \"$TUF_ROOT\"\nexit 5\n").unwrap();
    let mut command = world.command("shell");
    command.env("SHELL", "sh");
    command.stdin(std::fs::File::open(typed).unwrap());
    let run = world.end(command);
    let said = "[STATE]/local/tuf\n";
    assert_eq!((run.exit, run.out.as_str()), (5, said), "{}", run.err);
    assert!(run.err.contains("to leave it: exit"), "{}", run.err);

    let none = world.run("shell -- no-such-program");
    none.fails(2, "no-such-program cannot be started");
}
