//! `inspect-rekor` on a log that was seen before.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::proved::checks;
use crate::support::recorded::{self, log_id, trusting};
use crate::support::run::Run;
use crate::support::web::Web;
use crate::support::world::World;

/// A Rekor v2 whose size a test changes, and how often it was asked.
fn growing() -> (World, Web, Arc<AtomicU64>, Arc<AtomicUsize>) {
    let world = trusting(World::on_free_ports().installed("v2"));
    let size = Arc::new(AtomicU64::new(3));
    let asked = Arc::new(AtomicUsize::new(0));
    let (now, count) = (Arc::clone(&size), Arc::clone(&asked));
    let web = Web::on(world.base + 8, move |path, stream| {
        count.fetch_add(1, Ordering::Relaxed);
        recorded::tiles(now.load(Ordering::Relaxed))(path, stream);
    });
    (world, web, size, asked)
}

/// The detail of the check of consistency.
fn consistency(run: &Run) -> String {
    let documents = run.events();
    let checks = documents[0]["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == "consistency");
    check.unwrap()["detail"].as_str().unwrap().to_owned()
}

/// The id of the recorded Rekor v2, the only one with a key of Ed25519.
fn v2_id() -> String {
    let root = recorded::json("trusted_root.json");
    let logs = root["tlogs"].as_array().unwrap();
    let ed25519 = |log: &Value| log["publicKey"]["keyDetails"] == "PKIX_ED25519";
    log_id(logs.iter().position(ed25519).unwrap())
}

#[test]
fn a_log_that_grows() {
    let (world, _web, size, asked) = growing();
    let kept = world
        .local()
        .join(format!("checkpoints/{}.checkpoint", v2_id()));
    for (now, index, says) in [
        (
            3,
            0,
            "the first checkpoint seen of this log, of 3 entries; kept for the next time",
        ),
        (7, 0, "begins with the 3 entries last seen; 4 more"),
        (7, 6, "the same 7 entries as when last seen"),
        (260, 256, "begins with the 7 entries last seen; 253 more"),
    ] {
        size.store(now, Ordering::Relaxed);
        asked.store(0, Ordering::Relaxed);
        let run = world.run(&format!("--json inspect-rekor --log-index {index}"));
        assert_eq!(consistency(&run.ok()), says);
        let text = fs::read_to_string(&kept).unwrap();
        assert_eq!(text, recorded::text(&format!("rekor-v2/checkpoint-{now}")));
        let mode = fs::metadata(&kept).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let asked = asked.load(Ordering::Relaxed);
        assert!(asked <= 12, "{asked} requests for a log of {now}");
    }
}

#[test]
fn a_log_of_rekor_v1_that_grew() {
    let world = trusting(World::on_free_ports().installed("v1"));
    let _web = Web::on(world.base + 9, recorded::api);
    let id = recorded::json("rekor-v1/entry-0.json")[&recorded::uuid(0)]["logID"].clone();
    let kept = format!("local/checkpoints/{}.checkpoint", id.as_str().unwrap());
    let before = &recorded::json("rekor-v1/log-3.json")["signedTreeHead"];
    world.write_state(&kept, before.as_str().unwrap());
    let run = world.run("--json inspect-rekor --log-index 5").ok();
    let says = "begins with the 3 entries last seen; 4 more";
    assert_eq!(consistency(&run), says);
    let entry = &recorded::json("rekor-v1/entry-5.json")[&recorded::uuid(5)];
    let now = &entry["verification"]["inclusionProof"]["checkpoint"];
    let text = fs::read_to_string(world.state.join(kept)).unwrap();
    assert_eq!(text, now.as_str().unwrap());
}

/// Two shards of a log may be signed with one key. Each is remembered for itself.
#[test]
fn shards_under_one_key_are_not_two_histories() {
    let world = trusting(World::on_free_ports().installed("v1"));
    let _web = Web::on(world.base + 9, recorded::api);
    let id = recorded::json("rekor-v1/entry-0.json")[&recorded::uuid(0)]["logID"].clone();
    let kept = format!("local/checkpoints/{}.checkpoint", id.as_str().unwrap());
    let before = &recorded::json("rekor-v1/log-3.json")["signedTreeHead"];
    let before = before.as_str().unwrap();
    let (origin, rest) = before.split_once('\n').unwrap();
    let (host, tree) = origin.rsplit_once(" - ").unwrap();
    let other = format!("{host} - 1{tree}\n{}", rest.replacen('3', "9", 1));
    world.write_state(&kept, &other);
    let says = "the first checkpoint seen of this log, of 7 entries; kept for the next time";
    let run = world.run("--json inspect-rekor --log-index 5").ok();
    assert_eq!(consistency(&run), says);
    // The other one is as it was, and the next one is compared with its own.
    let text = fs::read_to_string(world.state.join(kept)).unwrap();
    assert_eq!(text, other);
    let run = world.run("--json inspect-rekor --log-index 5").ok();
    assert_eq!(consistency(&run), "the same 7 entries as when last seen");
}

/// Both checkpoints are shown and kept: they are the evidence.
#[test]
fn a_log_with_two_histories() {
    let seven = recorded::text("rekor-v2/checkpoint-7");
    let other = recorded::text("rekor-v2/checkpoint-3");
    let root = |text: &str| text.lines().nth(2).unwrap().to_owned();
    let forked = seven.replace(&root(&seven), &root(&other));
    let smaller = other.replace(&root(&other), &root(&seven));
    for (before, says) in [
        (
            recorded::text("rekor-v2/checkpoint-260"),
            "it shrank from 260 entries to 7",
        ),
        (forked, "two roots for the same 7 entries"),
        (smaller, ""),
    ] {
        let (world, _web, size, _) = growing();
        size.store(7, Ordering::Relaxed);
        let kept = |what: &str| format!("local/checkpoints/{}.{what}", v2_id());
        world.write_state(&kept("checkpoint"), &before);
        for json in ["", "--json "] {
            let run = world.run(&format!("{json}inspect-rekor --log-index 0"));
            assert_eq!(run.exit, 1, "{}", run.seen());
            let read = |what| fs::read_to_string(world.state.join(kept(what))).unwrap();
            assert_eq!(read("checkpoint"), before);
            assert_eq!(read("conflicting"), seven);
            if !json.is_empty() {
                assert_eq!(checks(&run.events()[0]).1, ["consistency"]);
                continue;
            }
            let says = format!("error: the log has two histories: {says}");
            assert!(run.err.contains(&says), "{}", run.err);
            for line in before.lines().chain(seven.lines()) {
                assert!(run.err.contains(line), "{line} in {}", run.err);
            }
            assert!(
                run.err.contains("hint: both are kept as evidence"),
                "{}",
                run.err
            );
        }
    }
}

#[test]
fn a_kept_checkpoint_that_is_damaged() {
    let (world, _web, _, _) = growing();
    let kept = format!("local/checkpoints/{}.checkpoint", v2_id());
    world.write_state(&kept, "127.0.0.1\n3\n");
    let run = world.run("inspect-rekor --log-index 0");
    assert_eq!(run.exit, 2, "{}", run.seen());
    let hint = format!("hint: begin again with the next one: rm [STATE]/{kept}");
    assert!(run.err.contains(&hint), "{}", run.err);
}
