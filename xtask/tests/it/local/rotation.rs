//! Keys that are replaced: what the old one signed verifies at every moment, also where the
//! rotation was cut short.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::run::{Run, command, end, xtask};
use crate::support::workshop::Workshop;

/// The first commands of a rotation, as its dry run shows them, and nothing after them.
fn cut_short(workshop: &Workshop, key: &str, after: usize) -> Run {
    let plan = workshop.run(&["rotate", key, "--dry-run"]).ok().out;
    let lines: Vec<&str> = plan.lines().filter(|line| !line.starts_with('#')).collect();
    let first = lines[..after.min(lines.len())].join("\n");
    let shim = format!("cargo() {{ shift; '{}' \"$@\"; }}\nset -eu\n", xtask());
    end(command(Path::new("sh"), &["-c", &(shim + &first)]))
}

/// How many keys of a kind the trusted root names, and how many of them have no end.
fn keys(workshop: &Workshop, list: &str) -> (usize, usize) {
    let root = std::fs::read(workshop.dir().join("trust/trusted_root.json")).unwrap();
    let root: serde_json::Value = serde_json::from_slice(&root).unwrap();
    let all = root[list].as_array().unwrap();
    // The period of an authority is its own, and that of a log its key's.
    let ended = |key: &&serde_json::Value| {
        let of = key.get("publicKey").unwrap_or(key);
        of["validFor"].get("end").is_some()
    };
    (all.len(), all.len() - all.iter().filter(ended).count())
}

#[test]
fn what_was_signed_verifies_wherever_a_rotation_ends() {
    let workshop = Workshop::installed(&[]);
    let mut signed = Signed {
        workshop: &workshop,
        files: Vec::new(),
    };
    signed.sign();
    for (key, list, cuts) in [
        ("fulcio", "certificateAuthorities", vec![1, 3, 5, 7, 99]),
        ("timestamp", "timestampAuthorities", vec![3, 5, 7]),
        ("ctlog", "ctlogs", vec![3, 5, 7]),
        ("rekor", "tlogs", vec![3, 5, 9]),
    ] {
        let count = cuts.len();
        for after in cuts {
            cut_short(&workshop, key, after).ok();
            // Whoever signs then signs with either key, and all of it verifies.
            signed.sign();
            signed.verify_last();
            workshop.run(&["rotate", key]).ok();
            signed.sign();
            signed.verify_last();
        }
        signed.verify();
        let (all, open) = keys(&workshop, list);
        assert!(all > count, "{key}: {all} keys after {count} rotations");
        assert_eq!(open, 1, "{key}");
    }
    // What was interrupted is completed by `start` as well.
    cut_short(&workshop, "fulcio", 4).ok();
    workshop.run(&["start"]).ok();
    assert_eq!(keys(&workshop, "certificateAuthorities").1, 1);
    workshop.run(&["rotate", "tuf"]).ok();
    let doctor = workshop.run(&["doctor"]).ok();
    assert!(doctor.out.contains("✓ tuf"), "{}", doctor.out);
    signed.sign();
    signed.verify();
}

/// Files that were signed; every signature of which it was said that it is there.
struct Signed<'a> {
    workshop: &'a Workshop,
    files: Vec<String>,
}

impl Signed<'_> {
    fn sign(&mut self) {
        let name = format!("{}.txt", self.files.len());
        let file = self.workshop.temp.path().join(&name);
        std::fs::write(&file, name).unwrap();
        let file = file.display().to_string();
        self.workshop.run(&["sign", "--blob", &file]).ok();
        self.files.push(file);
    }

    /// By cosign and by this program.
    fn verify(&self) {
        self.verify_from(0);
    }

    fn verify_last(&self) {
        self.verify_from(self.files.len() - 1);
    }

    fn verify_from(&self, first: usize) {
        for file in &self.files[first..] {
            self.workshop.run(&["verify", "--blob", file]).ok();
            let bundle = format!("{file}.sigstore.json");
            let inspect = ["inspect-rekor", "--blob", file, "--bundle", &bundle];
            self.workshop.run(&inspect).ok();
        }
    }
}

/// Ends a rotation without warning at the nth moment at which a command of it is about to
/// run or a step of it was done; whether there is such a moment.
fn killed_at(workshop: &Workshop, key: &str, nth: usize) -> bool {
    let mut rotate = workshop.command(&["--json", "rotate", key]);
    let mut child = rotate.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut moments = lines.map_while(Result::ok).filter(|line| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["event"] == "command" || event["event"] == "done"
    });
    let reached = moments.nth(nth).is_some();
    // SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
    reached
}

/// Kills a rotation of each of these keys at some moments; at every one, which takes
/// minutes, for those who ask. Each key is named with its server.
fn kill_rotations(workshop: &Workshop, keys: &[(&str, &str)]) {
    let mut signed = Signed {
        workshop,
        files: Vec::new(),
    };
    let every = std::env::var_os("WORKSHOP_TEST_EVERY_MOMENT").is_some();
    let stride = if every { 1 } else { 11 };
    for (i, (key, server)) in keys.iter().enumerate() {
        signed.sign();
        for (turn, nth) in (i % stride..).step_by(stride).enumerate() {
            let reached = killed_at(workshop, key, nth);
            signed.verify_last();
            if turn % 2 == 1 && workshop.components().iter().any(|name| name == server) {
                workshop.kill(server);
            }
            let again = match turn % 3 {
                2 => vec!["start"],
                _ => vec!["rotate", key],
            };
            workshop.run(&again).ok();
            signed.sign();
            let started = workshop.run(&["start"]).ok();
            assert!(started.out.contains("nothing to do"), "{}", started.out);
            if !reached {
                break;
            }
        }
        signed.verify();
    }
}

#[test]
fn nothing_is_lost_wherever_a_rotation_is_killed() {
    let workshop = Workshop::installed(&[]);
    let keys = [
        ("fulcio", "fulcio"),
        ("timestamp", "timestamp"),
        ("ctlog", "ctlog"),
        ("rekor", "rekor-v2"),
        ("registry", "registry"),
        ("users", "dex"),
        ("tuf", "tuf"),
    ];
    kill_rotations(&workshop, &keys);
    for (list, name) in [
        ("certificateAuthorities", "fulcio"),
        ("timestampAuthorities", "timestamp"),
        ("ctlogs", "ctlog"),
        ("tlogs", "rekor-v2"),
    ] {
        assert_eq!(self::keys(&workshop, list).1, 1, "{name}");
    }
}

#[test]
fn nothing_of_rekor_v1_is_lost_either() {
    let workshop = Workshop::installed(&["--rekor", "v1"]);
    kill_rotations(&workshop, &[("rekor", "rekor-v1"), ("ctlog", "ctlog")]);
    for list in ["tlogs", "ctlogs"] {
        assert_eq!(keys(&workshop, list).1, 1, "{list}");
    }
}

/// Entries of a log that has ended are shown and proved from its tiles, and so is that a
/// certificate is in its CT log.
#[test]
fn a_log_that_has_ended_is_read() {
    let workshop = Workshop::installed(&[]);
    let image = workshop.push("old:1", "an old image");
    workshop.run(&["sign", &image]).ok();
    let first = workshop.run(&["inspect-rekor", &image]).ok();
    assert!(first.out.contains("first checkpoint"), "{}", first.out);
    workshop.run(&["rotate", "rekor"]).ok();
    workshop.run(&["rotate", "ctlog"]).ok();
    // The last signature made here, and that of an image.
    for words in [
        &["--json", "inspect-rekor"][..],
        &["--json", "inspect-rekor", &image],
    ] {
        let document = workshop.run(words).ok().json();
        assert_eq!(document["unchecked"], serde_json::json!([]), "{document}");
        let checks = document["checks"].to_string();
        assert!(checks.contains("as when last seen"), "{checks}");
    }
    // The new log begins anew, under the same index.
    let file = workshop.temp.path().join("new.txt").display().to_string();
    std::fs::write(&file, "new").unwrap();
    workshop.run(&["sign", "--blob", &file]).ok();
    let newest = workshop.run(&["--json", "inspect-rekor"]).ok().json();
    assert_eq!(newest["log_index"], 1);
    let checks = newest["checks"].to_string();
    assert!(checks.contains("first checkpoint"), "{checks}");
    workshop.run(&["inspect-rekor", &image]).ok();
    // Under that index, each log holds another entry.
    let numbered = |more: &[&str]| {
        let words = ["--json", "inspect-rekor", "--log-index", "1"];
        workshop.run(&[&words, more].concat()).ok().json()["digest"].clone()
    };
    let digests = [numbered(&["--shard", "1"]), numbered(&["--shard", "2"])];
    assert_ne!(digests[0], digests[1]);
    assert_eq!(digests[1], numbered(&[]));
    workshop
        .run(&["inspect-rekor", "--log-index", "1", "--shard", "3"])
        .ends(1, &["no shard 3"]);
    workshop
        .run(&["inspect-rekor", "--log-index", "99"])
        .ends(1, &["--shard 1"]);
    // Both logs are listed, and both CT logs.
    for log in ["v2", "ct"] {
        let listed = workshop.run(&["log", "--rekor", log]).ok().out;
        let of_alice = listed.matches("alice@example.com").count();
        assert_eq!(of_alice, 2, "{listed}");
    }
    // A changed tile of the ended log is noticed.
    let tile = workshop.dir().join("data/rekor-v2/tile/0/000.p/2");
    let mut bytes = std::fs::read(&tile).unwrap();
    bytes[5] ^= 1;
    std::fs::write(&tile, bytes).unwrap();
    let said = workshop.run(&["inspect-rekor", &image]);
    assert_eq!(said.exit, 1, "{}", said.out);
}

/// Clients hold the certificates of the registry, also in copies.
#[test]
fn who_trusts_the_registry_goes_on() {
    let workshop = Workshop::installed(&[]);
    let loopback = Path::new(&workshop.env("WORKSHOP_COSIGN")).with_file_name("loopback");
    let trusted = workshop.dir().join("keys/registry.pem");
    let copy = workshop.temp.path().join("copy.pem");
    std::fs::copy(&trusted, &copy).unwrap();
    let push = |ca: &Path, tag: &str| {
        let mut push = command(&loopback, &["sample", "--text", tag, "--ca-cert"]);
        push.arg(ca).arg(format!("{}/{tag}", workshop.registry()));
        end(push)
    };
    push(&copy, "first:1").ok();
    let before = workshop.pid("registry");
    workshop.run(&["rotate", "registry"]).ok();
    assert_ne!(workshop.pid("registry"), before);
    let served = |number: u8| workshop.dir().join(format!("keys/registry-{number}.pem"));
    assert_ne!(
        std::fs::read(served(1)).unwrap(),
        std::fs::read(served(2)).unwrap()
    );
    push(&copy, "second:1").ok();
    push(&trusted, "third:1").ok();
    // The one that ended vouches for nothing more.
    let served_now = std::fs::read(served(2)).unwrap();
    assert_eq!(std::fs::read(&trusted).unwrap(), served_now);
}

/// Passwords of before, and tokens that were got with them, are worth nothing.
#[test]
fn users_sign_in_anew() {
    let workshop = Workshop::installed(&[]);
    let at = |name: &str| workshop.temp.path().join(name).display().to_string();
    let (old, file, bundle) = (at("old.token"), at("a.txt"), at("a.json"));
    workshop
        .run(&["step", "token", "--as", "alice", "--out", &old])
        .ok();
    std::fs::write(&file, "a").unwrap();
    let cosign = workshop.env("WORKSHOP_COSIGN");
    let sign = || {
        let mut sign = command(Path::new(&cosign), &["sign-blob", "--yes"]);
        sign.args(["--identity-token", &old, "--bundle", &bundle]);
        sign.args(["--signing-config", &workshop.env("WORKSHOP_SIGNING_CONFIG")]);
        sign.args(["--trusted-root", &workshop.env("WORKSHOP_TRUSTED_ROOT")]);
        sign.arg(&file).env("TUF_ROOT", workshop.env("TUF_ROOT"));
        end(sign)
    };
    sign().ok();
    workshop
        .run(&["verify", "--blob", &file, "--bundle", &bundle])
        .ok();
    workshop.run(&["rotate", "users"]).ok();
    let refused = sign();
    assert_ne!(refused.exit, 0, "{}", refused.err);
    assert!(refused.err.contains("identity token"), "{}", refused.err);
    let passwords = workshop.dir().join("keys");
    assert!(!passwords.join("users.yml").exists());
    assert!(passwords.join("users-2.yml").exists());
    workshop.run(&["sign", "--blob", &file]).ok();
}

/// Only the intermediate CA is with Fulcio; the root is needed for the next one.
#[test]
fn a_ca_below_an_offline_root() {
    let workshop = Workshop::installed(&[]);
    let mut signed = Signed {
        workshop: &workshop,
        files: Vec::new(),
    };
    signed.sign();
    let away = workshop.temp.path().join("a stick");
    let root = away.display().to_string();
    let rotate = ["rotate", "fulcio", "--offline-root", &root];
    workshop.run(&rotate).ok();
    signed.sign();
    // Nothing of it stays here.
    let kept = workshop.temp.path().join("kept");
    std::fs::rename(&away, &kept).unwrap();
    workshop.run(&["restart"]).ok();
    signed.sign();
    signed.verify();
    workshop
        .run(&rotate)
        .fails(2, "holds no root, and the CA in use is below one");
    std::fs::rename(&kept, &away).unwrap();
    let key = away.join("fulcio-root.key");
    let text = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    workshop.run(&rotate).fails(2, "fulcio-root.key is missing");
    std::fs::write(&key, text).unwrap();
    workshop.run(&rotate).ok();
    signed.sign();
    signed.verify();
    let trusted = std::fs::read(workshop.dir().join("trust/trusted_root.json")).unwrap();
    let trusted: Value = serde_json::from_slice(&trusted).unwrap();
    let chains = trusted["certificateAuthorities"].as_array().unwrap().iter();
    let lengths: Vec<usize> = chains
        .map(|authority| {
            authority["certChain"]["certificates"]
                .as_array()
                .unwrap()
                .len()
        })
        .collect();
    assert_eq!(lengths, [1, 2, 2]);
    workshop
        .run(&["rotate", "tuf", "--offline-root", &root])
        .fails(2, "an offline root is for Fulcio's CA");
}
