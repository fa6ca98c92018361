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
