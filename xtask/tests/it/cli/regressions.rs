//! Each of these was wrong once.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::sync::mpsc;

use rustix::process::Signal;
use xtask::local::process;

use crate::support::recorded::trusting;
use crate::support::world::{COSIGN, GO, Web, World, answer, wait_until};

/// What has no checkpoint is no log; that is no answer of "no".
#[test]
fn a_log_that_is_not_there() {
    for (rekor, offset) in [("v2", 8), ("v1", 9)] {
        let world = trusting(World::on_free_ports().installed(rekor));
        let _web = Web::on(world.base + offset, |_, stream| answer(stream, 404, b"no"));
        let run = world.run("inspect-rekor --log-index 0");
        assert_eq!(run.exit, 2, "{}", run.seen());
    }
}

/// A signer writes no name, so none must be left of who came before.
#[test]
fn a_signer_at_work_is_nobody_else() {
    let world = World::new().installed("v2");
    world.run("stop").ok();
    let lock = File::open(world.state.join("lock")).unwrap();
    lock.lock_shared().unwrap();
    let run = world.run("start");
    assert!(
        run.err.contains("another command is at work"),
        "{}",
        run.err
    );
}

/// Nothing is left of what was refused.
#[test]
fn a_refusal_leaves_nothing() {
    for line in ["start", "stop", "restart", "sign", "verify", "uninstall"] {
        let world = World::new();
        world.run(line);
        assert!(!world.state.exists(), "{line}");
    }
}

/// Commands are made of text, so another directory would be used.
#[test]
fn a_path_that_is_no_text() {
    let mut world = World::new();
    let mut name = world.root.clone().into_os_string().into_vec();
    name.extend(b"/\xff");
    world.state = OsString::from_vec(name).into();
    // Not every file system has such names.
    if fs::create_dir(&world.state).is_ok() {
        let mut command = world.bare();
        command
            .args(["uninstall", "--dry-run", "--state"])
            .arg(&world.state);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
}

/// B5, refusals.rs: `preflight` looks at the ports of what will run.
#[test]
fn a_port_of_rekor_v1_is_taken() {
    let world = World::on_free_ports();
    let _answers = world.answer_for_servers();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", world.base + 9)).unwrap();
    let run = world.run(&format!("install -q --rekor v1 --port-base {}", world.base));
    assert_eq!(run.exit, 1, "{}", run.seen());
    assert!(!world.servers().exists(), "it was built all the same");
}

/// An empty directory that was made for us, a mount point maybe.
#[test]
fn an_empty_directory_below_one_that_cannot_be_written() {
    let mut world = World::new();
    let parent = world.path("parent");
    world.state = parent.join("state");
    fs::create_dir_all(&world.state).unwrap();
    fs::set_permissions(&parent, Permissions::from_mode(0o555)).unwrap();
    let mut command = world.command("start");
    if rustix::process::geteuid().is_root() {
        chown(&world.state, Some(65534), None).unwrap();
        fs::set_permissions(&world.root, Permissions::from_mode(0o755)).unwrap();
        let mut nobody = world.bare_of(Path::new("/usr/bin/setpriv"));
        nobody.args(["--reuid=65534", "--clear-groups", "--"]);
        nobody.arg(command.get_program()).args(command.get_args());
        command = nobody;
    }
    let run = world.end(command);
    assert!(
        run.err.contains("no Sigstore is installed here yet"),
        "{}",
        run.err
    );
}

/// B7, refusals.rs: `uninstall` removes a build that was cut off, too.
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

/// What a step runs by itself is stopped as well.
#[test]
fn the_trust_material() {
    let world = World::on_free_ports().installed("v2");
    let _answers = world.answer_for_servers();
    // A minute, so that the test ends where the program does not.
    world.fake(
        "cosign",
        r#": >"$FAKES/blocked"; /bin/sleep 60; : >"$FAKES/ended""#,
    );
    let start = world.start("start registry");
    wait_until("cosign blocks", || world.path("fakes/blocked").exists());
    start.signal(Signal::INT);
    assert_eq!(start.end().exit, 130);
    assert!(
        !world.path("fakes/ended").exists(),
        "cosign ended by itself"
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
        let _web = Web::on(world.base + offset, move |_, _| {
            asked.send(()).unwrap();
            let _ = has_ended.recv();
        });
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
fn by_another_signal() {
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

/// The token of the run before is gone, so it is asked for again.
#[test]
fn sign_from_a_step() {
    let world = World::on_free_ports().installed("v2");
    let _dex = world.dex();
    world.run("sign --from sign").ok();
    assert!(world.calls().contains("/cosign 'sign'"));
}

/// Without their records nobody can stop the servers.
#[test]
fn uninstall_from_a_step_on() {
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
