//! What is damaged, down, full or at work already.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::run::xtask;
use crate::support::unshared::unshared;
use crate::support::web::{Web, answer};
use crate::support::workshop::Workshop;

#[test]
fn damaged_files_are_made_again_or_named() {
    let workshop = Workshop::installed(&[]);
    workshop.run(&["sign"]).ok();
    let trusted_root = workshop.dir().join("trust/trusted_root.json");
    let good = std::fs::read(&trusted_root).unwrap();
    std::fs::write(&trusted_root, &good[..good.len() / 2]).unwrap();
    workshop.run(&["start"]).ok();
    assert_eq!(
        std::fs::read(&trusted_root).unwrap(),
        good,
        "trust material is derived, so it is made again"
    );
    workshop.run(&["verify"]).ok();
    std::fs::write(&trusted_root, "{}").unwrap();
    workshop.run(&["start"]).ok();
    workshop.run(&["verify"]).ok();

    let key = workshop.dir().join("keys/fulcio-1.key");
    let good = std::fs::read(&key).unwrap();
    workshop.run(&["stop"]).ok();
    std::fs::write(&key, &good[..20]).unwrap();
    workshop.run(&["start"]).fails(2, "keys/fulcio-1");
    assert_eq!(
        std::fs::read(&key).unwrap(),
        &good[..20],
        "a key is never overwritten"
    );
    std::fs::write(&key, &good).unwrap();
    workshop.run(&["start"]).ok();
    workshop.run(&["verify"]).ok();

    // A new key would go on with the old log, and break every proof before.
    workshop.run(&["stop"]).ok();
    for end in ["key", "pub"] {
        let file = workshop.dir().join(format!("keys/rekor-v2.{end}"));
        std::fs::rename(&file, file.with_extension(format!("{end}.away"))).unwrap();
    }
    workshop
        .run(&["start"])
        .fails(2, "keys/rekor-v2.pub is gone");
    for end in ["key", "pub"] {
        let file = workshop.dir().join(format!("keys/rekor-v2.{end}"));
        std::fs::rename(file.with_extension(format!("{end}.away")), &file).unwrap();
    }
    workshop.run(&["start"]).ok();
    workshop.run(&["verify"]).ok();

    // So would a log that has lost how far it was, or all that it held.
    for name in ["ctlog-1", "rekor-v2"] {
        for part in [".state/treeState", ""] {
            workshop.run(&["stop"]).ok();
            let data = workshop.dir().join("data").join(name).join(part);
            let away = workshop.dir().join("away");
            std::fs::rename(&data, &away).unwrap();
            workshop
                .run(&["start"])
                .fails(2, "would begin again with the same key");
            std::fs::rename(&away, &data).unwrap();
        }
    }
    workshop.run(&["start"]).ok();
    workshop.run(&["sign"]).ok();
    workshop.run(&["inspect-rekor"]).ok();

    // Users are made again while everything runs, with new passwords.
    std::fs::remove_file(workshop.dir().join("keys/users.yml")).unwrap();
    workshop.run(&["sign"]).fails(2, "there are no users");
    workshop.run(&["start"]).ok();
    workshop.run(&["sign"]).ok();

    std::fs::write(workshop.dir().join("signatures.json"), "[{").unwrap();
    workshop
        .run(&["inspect-rekor"])
        .fails(2, "signatures.json is damaged");

    // What is damaged can be removed, as the hint of such an error says.
    std::fs::write(workshop.dir().join("settings.json"), "{").unwrap();
    workshop
        .run(&["status"])
        .fails(2, "settings.json is damaged");
    workshop.run(&["uninstall", "--yes", "--keep-tools"]).ok();
    assert!(!workshop.state.exists());
}

#[test]
fn a_server_that_is_down_is_named() {
    let workshop = Workshop::installed(&[]);
    workshop.kill("fulcio");
    workshop.run(&["status"]).fails(1, "not up: fulcio");
    workshop.run(&["start", "fulcio"]).ok();
    workshop.kill("timestamp");
    workshop.run(&["sign"]).fails(2, "a server did not answer");
    let tmp: Vec<_> = std::fs::read_dir(workshop.dir().join("tmp"))
        .unwrap()
        .collect();
    assert!(tmp.is_empty(), "a token was left: {tmp:?}");
    workshop.run(&["stop", "tiles"]).ok();
    workshop
        .run(&["inspect-rekor", "--log-index", "0"])
        .fails(2, "no answer from");
    workshop.run(&["start", "timestamp"]).ok();
    assert_eq!(workshop.state_of("timestamp"), "up");
    assert_eq!(workshop.state_of("tiles"), "stopped");
    workshop.run(&["start"]).ok();
    workshop.run(&["sign"]).ok();

    // One that runs and does not answer is started again.
    let dex = rustix::process::Pid::from_raw(workshop.pid("dex")).unwrap();
    rustix::process::kill_process(dex, rustix::process::Signal::STOP).unwrap();
    workshop.run(&["status"]).fails(1, "not up: dex");
    workshop.run(&["start"]).ok();
    workshop.run(&["status"]).ok();
}

/// Whoever took the port of a server that died is sent neither password nor token.
#[test]
fn secrets_go_to_our_own_servers() {
    let workshop = Workshop::installed(&[]);
    for (server, offset) in [("fulcio", 1), ("dex", 0)] {
        workshop.kill(server);
        let asked = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&asked);
        let other = Web::on(workshop.ports.base + offset, move |_, stream| {
            seen.fetch_add(1, Ordering::Relaxed);
            answer(stream, 200, b"{}");
        });
        let run = workshop.run(&["sign"]);
        run.fails(2, &format!("{server} does not run"));
        assert_eq!(asked.load(Ordering::Relaxed), 0, "{server}");
        drop(other);
        workshop.run(&["start"]).ok();
    }
    workshop.run(&["sign"]).ok();
}

/// A disk that is full is named, whatever was being written, and what was
/// written can be removed.
#[test]
fn a_full_disk_is_named() {
    Workshop::installed(&[]);
    let workshop = Workshop::empty();
    std::fs::create_dir(&workshop.state).unwrap();
    let base = workshop.ports.base.to_string();
    let state = workshop.state.to_str().unwrap();
    let xtask = xtask();
    let on = [xtask, "--on", "local", "--state"];
    let inside = "mount -t tmpfs -o size=$1 tmpfs \"$2\"; shift 2; exec \"$@\"";
    let Some(small) = unshared(&["--mount"], inside) else {
        return;
    };
    // Too small for the keys; then too small for something later, where it is
    // a race which of the servers meets the end of the disk first.
    for (size, said) in [("40k", "the disk is full"), ("160k", ""), ("200k", "")] {
        let inner = format!("{state}/inner");
        let script = "\"$@\" install --port-base \"$0\"; code=$?; \"$@\" uninstall --yes --keep-tools >&2 || exit 9; exit $code";
        let words = [
            &[size, state, "sh", "-c", script, &base],
            &on[..],
            &[&inner],
        ]
        .concat();
        small(&words).fails(2, said);
    }
}

/// Two installs at once: one works, the other says so and changes nothing.
#[test]
fn two_installs_do_not_interleave() {
    let workshop = Workshop::empty();
    let base = workshop.ports.base.to_string();
    let words = ["install", "--port-base", &base];
    let spawn = || {
        let mut command = workshop.command(&words);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let ends: Vec<_> = [spawn(), spawn()]
        .into_iter()
        .map(|child| child.wait_with_output().unwrap())
        .collect();
    let codes: Vec<_> = ends.iter().map(|end| end.status.code().unwrap()).collect();
    assert!(codes.contains(&0), "{ends:?}");
    for end in ends.iter().filter(|end| !end.status.success()) {
        assert_eq!(end.status.code(), Some(2));
        assert!(
            String::from_utf8_lossy(&end.stderr).contains("is at work on this state directory"),
            "{end:?}"
        );
    }
    workshop.run(&["status"]).ok();
}
