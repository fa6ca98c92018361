//! Ctrl-C while something runs.

use std::any::Any;
use std::fs;
use std::net::TcpStream;
use std::sync::mpsc;

use rustix::process::Signal;
use serde_json::json;

use crate::support::fakes::{COSIGN, GO};
use crate::support::recorded::trusting;
use crate::support::wait::{gone, wait_until};
use crate::support::web::Web;
use crate::support::world::World;

/// What a fake does to block: it says which process it is and becomes one that
/// waits.
const BLOCK: &str =
    r#"echo $$ >"$FAKES/pid.new"; mv "$FAKES/pid.new" "$FAKES/pid"; exec /bin/sleep 120"#;

/// Waits until a fake blocks and returns its process.
fn blocked(world: &World) -> u32 {
    wait_until("a fake blocks", || world.path("fakes/pid").exists());
    let pid = fs::read_to_string(world.path("fakes/pid")).unwrap();
    pid.trim().parse().unwrap()
}

/// A build in whose middle something blocks.
fn building(world: &World, blocks: &str) {
    world.fake("go", &GO.replace("echo example.com/two >&2", blocks));
}

#[test]
fn a_build() {
    let world = World::on_free_ports();
    building(&world, BLOCK);
    let line = format!("install -q --port-base {}", world.base);
    let install = world.start(&line);
    let pid = blocked(&world);
    install.signal(Signal::INT);
    let run = install.end();
    assert_eq!(run.exit, 130, "{}", run.err);
    assert!(run.err.contains("error: interrupted\n"), "{}", run.err);
    assert!(
        run.err
            .contains("hint: the next run goes on where this one stopped\n"),
        "{}",
        run.err
    );
    assert!(gone(pid), "the build goes on");
    assert!(
        !world.servers().exists(),
        "a build that was cut off must not count"
    );

    // The next run goes on.
    world.fake("go", GO);
    let _answers = world.answer_for_servers();
    world.run(&line).ok();
}

/// A compiler that Go started is stopped as well, and nothing else starts.
#[test]
fn a_build_and_what_it_started() {
    let world = World::on_free_ports();
    let started =
        r#"/bin/sleep 120 & echo $! >"$FAKES/pid.new"; mv "$FAKES/pid.new" "$FAKES/pid"; wait"#;
    building(&world, started);
    let install = world.start(&format!("--json install --port-base {}", world.base));
    let pid = blocked(&world);
    install.signal(Signal::TERM);
    let run = install.end();
    let result = run.events().pop().unwrap();
    assert_eq!(result["event"], "result");
    assert_eq!(result["ok"], false);
    assert_eq!(result["error"], "interrupted");
    assert_eq!(result["exit"], run.exit);
    wait_until("what the build started is gone", || gone(pid));
    assert!(
        !world.calls().contains(" 'mod' 'edit' "),
        "{}",
        world.calls()
    );
}

/// Who does not listen is made to stop.
#[test]
fn a_build_that_does_not_listen() {
    let world = World::on_free_ports();
    building(&world, &format!("trap '' TERM; {BLOCK}"));
    let install = world.start(&format!("install --port-base {}", world.base));
    let pid = blocked(&world);
    install.signal(Signal::INT);
    assert_eq!(install.end().exit, 130);
    assert!(gone(pid), "the build goes on");
}

/// The identity token is deleted however signing ends.
#[test]
fn a_signature() {
    let world = World::on_free_ports().installed("v2");
    let _dex = world.dex();
    world.fake(
        "cosign",
        &COSIGN.replace(r#"cp "$2" "$FAKES/token""#, BLOCK),
    );
    let sign = world.start("sign --json");
    let pid = blocked(&world);
    let token = || fs::read_dir(world.local().join("tmp")).unwrap().count();
    assert_eq!(token(), 1);
    sign.signal(Signal::INT);
    let run = sign.end();
    assert_eq!(run.exit, 130);
    assert_eq!(token(), 0);
    assert!(gone(pid));
    assert_eq!(
        run.events().pop().unwrap()["hints"],
        json!(["the next run goes on where this one stopped"])
    );
}

/// What a step runs by itself is stopped as well.
#[test]
fn what_a_step_runs() {
    let world = World::on_free_ports().installed("v2");
    let _answers = world.answer_for_servers();
    // A minute, so that the test ends where the program does not.
    world.fake(
        "loopback",
        r#": >"$FAKES/blocked"; /bin/sleep 60; : >"$FAKES/ended""#,
    );
    let start = world.start("start registry");
    wait_until("loopback blocks", || world.path("fakes/blocked").exists());
    start.signal(Signal::INT);
    assert_eq!(start.end().exit, 130);
    assert!(
        !world.path("fakes/ended").exists(),
        "loopback ended by itself"
    );
}

/// A server that is silent does not hold the program.
#[test]
fn a_silent_server() {
    // Outside of a plan the signal itself ends the program.
    for (line, offset, exit) in [
        ("inspect-rekor --log-index 0", 8, None),
        ("sign", 0, Some(130)),
    ] {
        let world = trusting(World::on_free_ports().installed("v2"));
        let (asked, was_asked) = mpsc::channel();
        let (ended, has_ended) = mpsc::channel::<()>();
        let silent = move |_: &str, _: &mut TcpStream| {
            asked.send(()).unwrap();
            let _ = has_ended.recv();
        };
        let _servers: Box<dyn Any> = match offset {
            0 => Box::new(world.dex_that(silent)),
            _ => Box::new(Web::on(world.base + offset, silent)),
        };
        let run = world.start(line);
        was_asked.recv().unwrap();
        run.signal(Signal::INT);
        let run = run.end();
        drop(ended);
        if let Some(exit) = exit {
            assert_eq!(run.exit, exit);
            assert!(run.err.contains("error: interrupted"), "{}", run.err);
        }
        // Within the time that Dex has, an impatient user has pressed it again.
        assert!(!run.err.contains("timeout"), "{}", run.err);
    }
}

/// The process ends as one that the signal ended.
#[test]
fn a_signature_by_another_signal() {
    let world = World::on_free_ports().installed("v2");
    let _dex = world.dex();
    let blocks = r#": >"$FAKES/blocked"; exec /bin/sleep 60"#;
    world.fake(
        "cosign",
        &COSIGN.replace(r#"cp "$2" "$FAKES/token""#, blocks),
    );
    let sign = world.start("sign");
    wait_until("cosign blocks", || world.path("fakes/blocked").exists());
    sign.signal(Signal::TERM);
    assert_eq!(sign.end().exit, 143);
}
