//! `log`: what a log holds is listed and proved, with real answers of both Rekors and a CT
//! log.

use serde_json::{Value, json};

use crate::support::recorded::{self, file, trusting};
use crate::support::wait::wait_until;
use crate::support::web::{Web, answer};
use crate::support::world::World;

fn world() -> World {
    trusting(World::on_free_ports().installed("both"))
}

/// The entries that are listed.
fn listed(world: &World, line: &str) -> Vec<Value> {
    let events = world.run(&format!("--json log {line}")).ok().events();
    let (result, entries) = events.split_last().unwrap();
    assert_eq!(result["listed"], entries.len(), "{result}");
    entries.to_vec()
}

#[test]
fn both_rekors() {
    let world = world();
    let _v2 = Web::on(world.base + 8, recorded::tiles(7));
    let _v1 = Web::on(world.base + 9, recorded::api);
    for log in ["v1", "v2"] {
        let all = listed(&world, &format!("--rekor {log}"));
        let indexes: Vec<_> = all
            .iter()
            .map(|one| one["index"].as_u64().unwrap())
            .collect();
        assert_eq!(indexes, [0, 1, 2, 3, 4, 5, 6], "{log}");
        assert!(
            all.iter()
                .all(|one| one["log"] == log && one["not_issued"] == json!(null))
        );
        let by_bob = listed(&world, &format!("--rekor {log} --identity-regexp ^bob@"));
        assert!(
            by_bob
                .iter()
                .all(|one| one["identities"] == json!(["bob@example.com"]))
        );
        let alpha = file("blobs/alpha.txt");
        let of_alpha = listed(
            &world,
            &format!("--rekor {log} --artifact {}", alpha.display()),
        );
        assert!(
            !of_alpha.is_empty() && of_alpha.len() < all.len(),
            "{of_alpha:?}"
        );
        let digest = of_alpha[0]["what"].as_str().unwrap();
        let of_digest = listed(&world, &format!("--rekor {log} --artifact {digest}"));
        assert_eq!(of_digest, of_alpha);
        assert!(listed(&world, &format!("--rekor {log} --since 1s")).is_empty());
        let early = listed(
            &world,
            &format!("--rekor {log} --since 2020-01-01T00:00:00Z"),
        );
        assert!(!early.is_empty());
    }
    let run = world.run("log --identity alice@example.com").ok();
    let said =
        "Rekor v2: the log signed the root of 7 entries: the same 7 entries as when last seen";
    assert!(run.err.contains(said), "{}", run.err);
    assert!(
        run.out
            .lines()
            .all(|line| line.contains("  alice@example.com  sha256:"))
    );
}

/// What is shown must be what was signed: an entry that is changed, or left out.
#[test]
fn a_log_that_shows_something_else() {
    let world = world();
    let honest = recorded::tiles(7);
    let mut bundle = recorded::bytes("rekor-v2/tile/entries/000.p/7");
    let at = bundle.len() - 40;
    bundle[at] ^= 1;
    let changed = Web::on(world.base + 8, move |path, stream| {
        match path.contains("/tile/entries/") {
            true => answer(stream, 200, &bundle),
            false => honest(path, stream),
        }
    });
    let run = world.run("log");
    assert_eq!(run.exit, 1, "{}", run.seen());
    let said = "error: Rekor v2 signed another root than that of the entries it shows\n";
    assert!(run.err.contains(said), "{}", run.err);
    drop(changed);

    let honest = recorded::tiles(7);
    let _cut = Web::on(world.base + 8, move |path, stream| {
        match path.contains("/tile/entries/") {
            true => answer(stream, 200, &[0, 9, 1]),
            false => honest(path, stream),
        }
    });
    let run = world.run("log");
    assert_eq!(run.exit, 2, "{}", run.seen());
    assert!(
        run.err.contains("entry bundle 0 of Rekor v2 is damaged"),
        "{}",
        run.err
    );
}

/// A log that forgets, and one whose key the trusted root does not name.
#[test]
fn a_log_that_was_seen_otherwise() {
    let world = world();
    let seen = Web::on(world.base + 8, recorded::tiles(7));
    world.run("log").ok();
    drop(seen);
    let older = Web::on(world.base + 8, recorded::tiles(3));
    let run = world.run("log");
    assert_eq!(run.exit, 1, "{}", run.seen());
    assert!(
        run.err.contains("error: the log has two histories: "),
        "{}",
        run.err
    );
    drop(older);
    let mut root = recorded::json("trusted_root.json");
    root["tlogs"] = json!([]);
    world.write_state("local/trust/trusted_root.json", &root.to_string());
    let _web = Web::on(world.base + 8, recorded::tiles(7));
    let run = world.run("log");
    assert_eq!(run.exit, 2, "{}", run.seen());
    let said = "the checkpoint of Rekor v2: no log of the trusted root signed it";
    assert!(run.err.contains(said), "{}", run.err);
}

#[test]
fn what_makes_no_list() {
    let world = world();
    for (line, said) in [
        ("log --since 500y", "\"500y\" is no time"),
        ("log --since soon", "\"soon\" is no time"),
        ("log --key key.pem", "a log lists names, not keys"),
        (
            "log --follow --alert",
            "--alert watches the entries of a name in Rekor",
        ),
        ("log --artifact none", "there is no file none"),
        (
            "log --rekor ct --artifact none",
            "the CT log holds certificates, and knows no artifact",
        ),
        ("log --identity-regexp (", "is no regular expression"),
    ] {
        let run = world.run(line);
        assert_eq!(run.exit, 2, "{line}: {}", run.seen());
        assert!(run.err.contains(said), "{line}: {}", run.err);
    }
}

/// `log --follow`, with both of its outputs in files.
struct Follower(std::process::Child, std::path::PathBuf, std::path::PathBuf);

impl Follower {
    fn of(world: &World) -> Follower {
        let (out, err) = (world.path("out"), world.path("err"));
        let mut command = world.command("log --rekor v2 --follow");
        command.stdout(std::fs::File::create(&out).unwrap());
        command.stderr(std::fs::File::create(&err).unwrap());
        Follower(command.spawn().unwrap(), out, err)
    }

    fn lists(&self, entries: usize) {
        wait_until("so many entries are listed", || {
            std::fs::read_to_string(&self.1).unwrap().lines().count() == entries
        });
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.2).unwrap()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A log that is started again goes on where it was, and that is said once.
#[test]
fn following_outlives_a_restart() {
    let world = world();
    let before = Web::on(world.base + 8, recorded::tiles(3));
    let mut follower = Follower::of(&world);
    follower.lists(3);
    drop(before);
    wait_until("it waits", || {
        follower.said().contains("; waiting for it\n")
    });
    let _starting = Web::on(world.base + 8, |_, stream| answer(stream, 503, b"not yet"));
    drop(_starting);
    let _after = Web::on(world.base + 8, recorded::tiles(7));
    follower.lists(7);
    assert_eq!(follower.said().matches("waiting for it").count(), 1);
    // One that shows another tree is no restart.
    drop(_after);
    let _other = Web::on(world.base + 8, recorded::tiles(3));
    let end = follower.0.wait().unwrap();
    assert_eq!(end.code(), Some(1), "{}", follower.said());
}

/// Whoever has read enough ends it, though no further entry comes.
#[test]
fn following_ends_when_nobody_reads_on() {
    use std::io::{BufRead, BufReader};
    let world = world();
    let _web = Web::on(world.base + 8, recorded::tiles(3));
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = world.command("log --rekor v2 --follow");
    command.stdout(writer);
    let follower = world.start_as_is(command);
    let mut lines = BufReader::new(reader).lines();
    for _ in 0..3 {
        lines.next().unwrap().unwrap();
    }
    drop(lines);
    assert_eq!(follower.end().exit, 0);
}

#[test]
fn a_key_is_not_offered() {
    let help = world().run("log --help").ok().out;
    assert!(
        !help.contains("--key") && help.contains("--identity"),
        "{help}"
    );
}
