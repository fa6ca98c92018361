//! `start`, `stop` and `restart` on the local target.

use std::fs;

use snapbox::{assert_data_eq, str};

use crate::support::ports::take;
use crate::support::snapshot::{snapshot, sorted};
use crate::support::world::World;

/// Servers get nothing of the caller's that could redirect them either.
#[test]
fn servers_start_without_redirecting_variables() {
    let world = World::on_free_ports().installed("v2");
    let answers = world.answer_for_servers();
    let mut command = world.command("start registry");
    command
        .env("COSIGN_REPOSITORY", "x")
        .env("SIGSTORE_ROOT_FILE", "x");
    assert_eq!(world.end(command).ok().out, "started\n");
    drop(answers);
    snapshot("calls-start-registry.txt", &sorted(&world.calls()));
}

/// A name that was mistyped leaves nothing, also where the first server would begin an
/// installation.
#[test]
fn a_start_that_begins_nothing() {
    let world = World::new();
    for line in ["start registri", "start", "start registry"] {
        assert_eq!(world.run(line).exit, 2, "{line}");
        assert!(!world.state.exists(), "{line} left something");
    }
}

#[test]
fn a_port_is_taken() {
    let world = World::on_free_ports().installed("v2");
    let _taken = take(world.base);
    assert_data_eq!(
        world.show(&["start dex -q"]),
        str![[r#"
$ cargo xtask start dex -q
error: port [PORT+0] on 127.0.0.1 is taken [..]
hint: use other ports: cargo xtask --state [STATE] install --port-base [..]
exit 2

"#]]
    );
}

/// Its last lines are shown, and its log stays for whoever asks.
#[test]
fn a_server_ends_right_after_its_start() {
    let world = World::on_free_ports().installed("v2");
    world.fake("dex", "echo one; echo 'two: no such file' >&2; exit 3");
    assert_data_eq!(
        world.show(&["start dex -q", "logs dex"]),
        str![[r#"
$ cargo xtask start dex -q
  | one
  | two: no such file
error: dex ended right after its start
hint: read its whole log: cargo xtask --state [STATE] logs dex
exit 2

$ cargo xtask logs dex
one
two: no such file
on local (named by --on)
exit 0

"#]]
    );
}

#[test]
fn a_server_cannot_be_started() {
    let world = World::on_free_ports().installed("v2");
    fs::remove_file(world.servers().join("dex")).unwrap();
    fs::write(world.servers().join("dex"), "text").unwrap();
    assert_data_eq!(
        world.show(&["start dex -q"]),
        str![[r#"
$ cargo xtask start dex -q
error: [SERVERS]/dex could not be started: Permission denied (os error 13)
hint: cargo xtask --state [STATE] install
exit 2

"#]]
    );
}

#[test]
fn the_servers_are_not_built() {
    let world = World::new().installed("v2");
    fs::remove_dir_all(world.path("cache")).unwrap();
    assert_data_eq!(
        world.show(&["start", "restart"]),
        str![[r#"
$ cargo xtask start
on local (named by --on)
error: the servers of this version are not built
hint: cargo xtask --state [STATE] install
exit 2

$ cargo xtask restart
on local (named by --on)
error: the servers of this version are not built
hint: cargo xtask --state [STATE] install
exit 2

"#]]
    );
}

#[test]
fn components_that_are_none() {
    let world = World::new().installed("v2");
    let seen = world.show(&[
        "start nobody",
        "stop dex nobody",
        "restart nobody",
        "logs nobody",
    ]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask start nobody
on local (named by --on)
error: there is no component "nobody"
hint: the components are: dex, ctlog, ct-tiles, fulcio, timestamp, rekor-v2, tiles, trillian, rekor-v1, registry, tuf
exit 2

$ cargo xtask stop dex nobody
on local (named by --on)
error: there is no component "nobody"
hint: the components are: dex, ctlog, ct-tiles, fulcio, timestamp, rekor-v2, tiles, trillian, rekor-v1, registry, tuf
exit 2

$ cargo xtask restart nobody
on local (named by --on)
error: there is no component "nobody"
hint: the components are: dex, ctlog, ct-tiles, fulcio, timestamp, rekor-v2, tiles, trillian, rekor-v1, registry, tuf
exit 2

$ cargo xtask logs nobody
on local (named by --on)
error: there is no component "nobody"
hint: the components are: dex, ctlog, ct-tiles, fulcio, timestamp, rekor-v2, tiles, trillian, rekor-v1, registry, tuf
exit 2

"#]]
    );
    assert_eq!(world.calls(), "");
}
