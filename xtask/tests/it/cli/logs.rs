//! `logs` on the local target, of files that the tests make.

use std::fs::{self, File, OpenOptions};
use std::io::Write;

use rustix::process::Signal;
use serde_json::json;
use snapbox::{assert_data_eq, str};

use crate::support::wait::wait_until;
use crate::support::world::World;

#[test]
fn the_last_lines() {
    let world = World::new().installed("v2");
    let lines: Vec<_> = (1..=9).map(|n| format!("line {n}\n")).collect();
    world.write_state("local/logs/dex.log", &lines.concat());
    world.write_state(
        "local/logs/tiles.log",
        "\u{1b}[31mred\u{7}, and no line end",
    );
    let seen = world.show(&["logs -q", "logs -q dex -n 2", "logs -q dex -n 0"]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask logs -q
dex: line 5
dex: line 6
dex: line 7
dex: line 8
dex: line 9
tiles: �[31mred�, and no line end
exit 0

$ cargo xtask logs -q dex -n 2
line 8
line 9
exit 0

$ cargo xtask logs -q dex -n 0
exit 0

"#]]
    );
    // A script gets the line as it is; a terminal must not.
    let line = "\u{1b}[31mred\u{7}, and no line end";
    assert_eq!(
        world.run("logs --json tiles").ok().events(),
        [json!({"component": "tiles", "line": line})]
    );
}

/// Ctrl-C is how it ends, so that is no failure.
#[test]
fn a_log_that_grows() {
    let world = World::new().installed("v2");
    world.write_state("local/logs/dex.log", "one\n");
    let out = world.path("out");
    let mut command = world.command("logs -q dex --follow");
    command.stdout(File::create(&out).unwrap());
    let follow = world.start_as_is(command);
    let seen = |text: &str| fs::read_to_string(&out).unwrap() == text;
    wait_until("what was there is shown", || seen("one\n"));
    let mut log = OpenOptions::new()
        .append(true)
        .open(world.local().join("logs/dex.log"))
        .unwrap();
    log.write_all(b"two\nthr").unwrap();
    wait_until("a whole line is shown", || seen("one\ntwo\n"));
    log.write_all(b"ee\n").unwrap();
    wait_until("the rest of a line is shown", || seen("one\ntwo\nthree\n"));
    follow.signal(Signal::INT);
    follow.end().ok();
}
