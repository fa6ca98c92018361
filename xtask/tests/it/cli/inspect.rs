//! Proving signatures: from bundles without a server, from an image, and against what
//! was seen of a log before.

use std::collections::HashMap;
use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use xtask::bundle::sha256;

use crate::support::recorded::{self, bundle, file, log_id, trusting};
use crate::support::world::{Run, Web, World, answer};

/// Inspects bundles where nothing was ever installed.
fn offline(world: &World, line: &str) -> Run {
    let root = file("trusted_root.json");
    let run = world.run(&format!(
        "{line} --trusted-root {}",
        shlex::try_quote(root.to_str().unwrap()).unwrap()
    ));
    assert!(!world.state.exists(), "something was left");
    run
}

fn of_bundle(name: &str) -> String {
    format!("inspect-rekor --bundle {}", bundle(name).display())
}

/// Names of the checks in a document, those that hold and those that do not.
fn checks(document: &Value) -> (Vec<String>, Vec<String>) {
    let all = document["checks"].as_array().unwrap().iter();
    let (good, bad): (Vec<&Value>, Vec<&Value>) = all.partition(|check| check["ok"] == true);
    let names = |checks: Vec<&Value>| -> Vec<String> {
        let name = |check: &Value| check["name"].as_str().unwrap().to_owned();
        checks.into_iter().map(name).collect()
    };
    (names(good), names(bad))
}

#[test]
fn every_recorded_bundle_is_proved_without_a_server() {
    let world = World::new();
    for found in fs::read_dir(file("bundles")).unwrap() {
        let path = found.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let line = format!("--json inspect-rekor --bundle {}", path.display());
        let documents = offline(&world, &line).ok().events();
        assert_eq!(documents.len(), 1, "{name}");
        let (good, bad) = checks(&documents[0]);
        assert!(bad.is_empty(), "{name}: {bad:?}");
        assert_eq!(documents[0]["ok"], true, "{name}");
        let mut wanted = vec!["signature", "entry", "timestamp"];
        if name.contains("-0.1.") {
            wanted.push("promise");
        } else {
            wanted.extend(["inclusion", "checkpoint"]);
        }
        if !name.contains("-key.") {
            wanted.extend(["chain", "sct", "validity"]);
        }
        for check in wanted {
            assert!(good.iter().any(|name| name == check), "{name}: {check}");
        }
        for part in ["checks", "unchecked"] {
            for check in documents[0][part].as_array().unwrap() {
                let known = xtask::proof::NAMES;
                assert!(known.iter().any(|(name, _)| check["name"] == *name));
                assert!(check["detail"].is_string(), "{check}");
                assert_eq!(check["ok"].is_boolean(), part == "checks", "{check}");
            }
        }
    }
}

#[test]
fn a_bundle_on_standard_input() {
    let world = World::new();
    let mut command = world.command("inspect-rekor --bundle - --trusted-root");
    command.arg(file("trusted_root.json"));
    command.stdin(Stdio::from(fs::File::open(bundle("alpha.v1")).unwrap()));
    world.end(command).ok();
    let nothing = offline(&world, "inspect-rekor --bundle -");
    assert_eq!(nothing.exit, 2, "{}", nothing.seen());
}

/// All are shown in the order in which they were named, also those after a bad one.
#[test]
fn several_bundles() {
    let world = World::new();
    let mut bad: Value = recorded::json("bundles/alpha.v2.sigstore.json");
    let signature = &recorded::json("bundles/beta.v2.sigstore.json")["messageSignature"];
    bad["messageSignature"]["signature"] = signature["signature"].clone();
    world.write("work/bad.json", &bad.to_string());
    let (alpha, beta) = (bundle("alpha.v1"), bundle("beta.v2"));
    let (alpha, beta) = (alpha.display(), beta.display());
    let line = format!("inspect-rekor --bundle {alpha} bad.json {beta}");
    let run = offline(&world, &line);
    assert_eq!(run.exit, 1, "{}", run.seen());
    let said = "error: not proved: 1 of 3 signatures\n";
    assert!(run.err.ends_with(said), "{}", run.seen());
    let run = offline(&world, &format!("--json {line}"));
    assert_eq!((run.exit, run.err.as_str()), (1, ""), "{}", run.seen());
    let documents = run.events();
    let found: Vec<&Value> = documents.iter().map(|one| &one["found_at"]).collect();
    assert_eq!(found.len(), 3);
    assert_eq!(found[1], "bad.json");
    let ok: Vec<&Value> = documents.iter().map(|one| &one["ok"]).collect();
    assert_eq!(ok, [&json!(true), &json!(false), &json!(true)]);
    assert_eq!(
        checks(&documents[1]).1,
        ["signature", "entry", "timestamp", "validity"]
    );

    world.write("work/none.json", "<html>");
    let run = offline(&world, &format!("inspect-rekor --bundle {alpha} none.json"));
    assert_eq!(run.exit, 2, "{}", run.seen());
    assert!(
        run.err.contains("error: none.json: that is no bundle"),
        "{}",
        run.err
    );
}

/// A certificate is about nothing in particular, but an artifact that was named is not
/// passed over; and what has no certificate does not hide what has one.
#[test]
fn certificates_of_named_artifacts_and_of_several() {
    let world = World::new();
    world.write("work/other.txt", "something else");
    let alpha = bundle("alpha.v1");
    let alpha = alpha.display();
    let of = |blob: &str| format!("inspect-certificate --bundle {alpha} --blob {blob}");
    let blob = file("blobs/alpha.txt");
    offline(&world, &of(&blob.display().to_string())).ok();
    let wrong = offline(&world, &of("other.txt"));
    assert_eq!(wrong.exit, 1, "{}", wrong.seen());
    assert!(wrong.err.ends_with("error: not proved: artifact\n"));

    let key = bundle("alpha-key.v2");
    let line = format!("inspect-certificate --bundle {} {alpha}", key.display());
    let run = offline(&world, &line);
    assert_eq!(run.exit, 1, "{}", run.seen());
    assert!(
        run.out.contains("signed with a key, not an identity"),
        "{}",
        run.out
    );
    assert!(run.out.contains("✓ chain"), "{}", run.out);
    let documents = offline(&world, &format!("--json {line}")).events();
    let ok: Vec<&Value> = documents.iter().map(|one| &one["ok"]).collect();
    assert_eq!(ok, [&json!(false), &json!(true)]);
}

#[test]
fn mistakes_in_what_is_named() {
    let world = World::new();
    let alpha = bundle("alpha.v1");
    let image = offline(&world, &format!("inspect-rekor {}", alpha.display()));
    assert_eq!(image.exit, 2, "{}", image.seen());
    assert!(
        image.err.contains("is a file, not an image"),
        "{}",
        image.err
    );
    assert!(image.err.contains("--bundle FILE"), "{}", image.err);
    let twice = offline(&world, "inspect-rekor --bundle - --blob -");
    assert_eq!(twice.exit, 2, "{}", twice.seen());
    assert!(twice.err.contains("can be read once only"), "{}", twice.err);
}

#[test]
fn what_was_signed_and_by_whom() {
    let world = World::new();
    let alpha = of_bundle("alpha.v2");
    let blob = |name: &str| format!("--blob {}", file(&format!("blobs/{name}.txt")).display());
    let document = &offline(&world, &format!("--json {alpha}")).ok().events()[0];
    let issuer = document["issuer"].as_str().unwrap().to_owned();
    for (options, failed) in [
        (blob("alpha"), None),
        (blob("beta"), Some("artifact")),
        ("--identity alice@example.com".into(), None),
        ("--identity alice".into(), Some("identity")),
        // A regular expression need not be found at either end.
        ("--identity-regexp lic".into(), None),
        ("--identity-regexp ^lic".into(), Some("identity")),
        (format!("--issuer {issuer}"), None),
        ("--issuer https://example.com".into(), Some("issuer")),
        ("--issuer-regexp '^http://127[.]0[.]0[.]1:'".into(), None),
        ("--issuer-regexp ^https".into(), Some("issuer")),
    ] {
        let run = offline(&world, &format!("--json {alpha} {options}"));
        assert_eq!(run.exit, i32::from(failed.is_some()), "{}", run.seen());
        let documents = run.events();
        assert_eq!(documents.len(), 1, "{}", run.seen());
        let failed: Vec<String> = failed.into_iter().map(str::to_owned).collect();
        assert_eq!(checks(&documents[0]).1, failed, "{options}");
    }
    // A key has no name.
    let line = format!("{} --identity alice@example.com", of_bundle("alpha-key.v1"));
    assert_eq!(offline(&world, &line).exit, 1);
    let broken = offline(&world, &format!("{alpha} --identity-regexp '('"));
    assert_eq!(broken.exit, 2, "{}", broken.seen());
    let says = "\"(\" is no regular expression";
    assert!(broken.err.contains(says), "{}", broken.err);
    let gone = offline(&world, &format!("{alpha} --blob nothing"));
    assert_eq!(gone.exit, 2, "{}", gone.seen());
}

#[test]
fn trusted_roots_that_are_none_or_of_others() {
    let world = World::new();
    world.write("work/none", "{}");
    for (root, says) in [
        ("nothing", "there is no file nothing"),
        ("none", "none: that is no trusted root"),
    ] {
        let line = format!("{} --trusted-root {root}", of_bundle("alpha.v1"));
        let run = world.run(&line);
        assert_eq!(run.exit, 2, "{}", run.seen());
        assert!(run.err.contains(says), "{}", run.err);
    }
    for (lacks, failed) in [("tlogs", "checkpoint"), ("certificateAuthorities", "chain")] {
        let mut root = recorded::json("trusted_root.json");
        root[lacks] = json!([]);
        world.write("work/root", &root.to_string());
        let run = world.run(&format!(
            "--json {} --trusted-root root",
            of_bundle("alpha.v2")
        ));
        assert_eq!(run.exit, 1, "{}", run.seen());
        let bad = checks(&run.events()[0]).1;
        assert!(bad.iter().any(|name| name == failed), "{lacks}: {bad:?}");
    }
    for lacks in ["ctlogs", "timestampAuthorities"] {
        let mut root = recorded::json("trusted_root.json");
        root[lacks] = json!([]);
        world.write("work/root", &root.to_string());
        // Rekor v1 names a time as well, so the certificate is still proved.
        let run = world.run(&format!(
            "--json {} --trusted-root root",
            of_bundle("alpha.v1")
        ));
        let unchecked = run.ok().events()[0]["unchecked"].to_string();
        assert!(
            unchecked.contains(&format!(
                "names no {}",
                if lacks == "ctlogs" {
                    "CT log"
                } else {
                    "timestamp authority"
                }
            )),
            "{unchecked}"
        );
    }
}

#[test]
fn options_that_exclude_each_other() {
    let world = World::new();
    for line in [
        "inspect-rekor --bundle x --log-index 1",
        "inspect-rekor --bundle x --uuid 00",
        "inspect-rekor --bundle x --rekor v1",
        "inspect-rekor --blob x --log-index 1",
        "inspect-rekor HOST/NAME --log-index 1",
        "inspect-rekor HOST/NAME --bundle x",
        "inspect-rekor HOST/NAME --blob x",
        "inspect-rekor --identity a --identity-regexp a",
        "inspect-rekor --issuer a --issuer-regexp a",
    ] {
        let run = world.run(line);
        assert_eq!(run.exit, 2, "{}", run.seen());
        assert!(run.err.contains("cannot be used with"), "{}", run.err);
    }
}

#[test]
fn the_entry_of_a_bundle_as_it_is() {
    let run = offline(&World::new(), &format!("{} --raw", of_bundle("alpha.v2")));
    let entry: Value = serde_json::from_str(&run.ok().out).unwrap();
    assert_eq!(entry["kind"], "hashedrekord");
}

/// What a statement names comes from whoever signed it.
#[test]
fn no_control_character_of_a_bundle_reaches_the_terminal() {
    let world = World::new();
    let mut bundle = recorded::json("bundles/alpha-attestation.v2.sigstore.json");
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": "\u{1b}[2J\u{7}"}}],
    });
    bundle["dsseEnvelope"]["payload"] = json!(BASE64_STANDARD.encode(statement.to_string()));
    world.write("work/bundle", &bundle.to_string());
    world.write("work/\u{1b}[2J", "none");
    let run = offline(&world, "inspect-rekor --bundle bundle");
    assert_eq!(run.exit, 1, "{}", run.seen());
    let named = offline(&world, "inspect-rekor --bundle \u{1b}[2J");
    assert_eq!(named.exit, 2, "{}", named.seen());
    for run in [run, named] {
        let control = |c: char| c.is_control() && c != '\n';
        assert!(!run.seen().contains(control), "{:?}", run.seen());
    }
}

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

/// The id of the recorded Rekor v2, the only one with a key of Ed25519.
fn v2_id() -> String {
    let root = recorded::json("trusted_root.json");
    let logs = root["tlogs"].as_array().unwrap();
    let ed25519 = |log: &Value| log["publicKey"]["keyDetails"] == "PKIX_ED25519";
    log_id(logs.iter().position(ed25519).unwrap())
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

/// A registry without the referrers API that holds what was recorded, but for what a
/// test takes away.
fn registry(without: &'static [&'static str]) -> impl Fn(&str, &mut TcpStream) + Send + 'static {
    let mut held = HashMap::new();
    for dir in ["registry", "bundles"] {
        for found in fs::read_dir(file(dir)).unwrap() {
            let bytes = fs::read(found.unwrap().path()).unwrap();
            held.insert(sha256(&bytes), bytes);
        }
    }
    let tag = image_digest().replace(':', "-");
    for (tag, name) in [(tag.clone(), "referrers"), (tag + ".sig", "legacy")] {
        if !without.contains(&name) {
            held.insert(tag, recorded::bytes(&format!("registry/{name}.json")));
        }
    }
    // A registry with the API needs no tag for the same index.
    let api = without.contains(&"referrers but by the API");
    move |path, stream| {
        let name = path.rsplit('/').next().unwrap();
        if path.contains("/referrers/") {
            return match api {
                true => answer(stream, 200, &recorded::bytes("registry/referrers.json")),
                false => answer(stream, 404, b"{}"),
            };
        }
        match held.get(name) {
            Some(bytes) => answer(stream, 200, bytes),
            None => answer(stream, 404, b"{}"),
        }
    }
}

/// The same bundles by the API of a registry that has it.
#[test]
fn the_referrers_of_an_image() {
    let world = trusting(World::on_free_ports().installed("both"));
    let at = world.base + 12;
    let image = format!("127.0.0.1:{at}/sample@{}", image_digest());
    let _registry = Web::on(
        at,
        registry(&["referrers", "referrers but by the API", "legacy"]),
    );
    let line = format!("--json inspect-certificate {image}");
    let documents = world.run(&line).ok().events();
    assert_eq!(documents.len(), 4);
}

fn image_digest() -> String {
    sha256(&recorded::bytes("registry/image.json"))
}

#[test]
fn the_signatures_of_an_image() {
    let world = trusting(World::on_free_ports().installed("both"));
    let at = world.base + 12;
    let image = format!("127.0.0.1:{at}/sample@{}", image_digest());
    let registry = Web::on(at, registry(&[]));
    // Without the logs, what is in the bundles is proved all the same.
    let documents = world
        .run(&format!("--json inspect-rekor {image}"))
        .ok()
        .events();
    assert_eq!(documents.len(), 5);
    for document in &documents {
        let unchecked = document["unchecked"].to_string();
        assert!(
            unchecked.contains("no answer from http://127.0.0.1:"),
            "{unchecked}"
        );
        assert!(
            checks(document).0.contains(&"artifact".to_owned()),
            "{document}"
        );
    }
    let _logs = [
        Web::on(world.base + 8, recorded::tiles(7)),
        Web::on(world.base + 9, recorded::api),
    ];
    let documents = world
        .run(&format!("--json inspect-rekor {image}"))
        .ok()
        .events();
    for document in &documents {
        let good = checks(document).0;
        for name in [
            "artifact",
            "signature",
            "entry",
            "inclusion",
            "consistency",
            "chain",
        ] {
            assert!(good.iter().any(|good| good == name), "{name}: {document}");
        }
    }
    world.run(&format!("inspect-certificate {image}")).ok();
    drop(registry);
}

#[test]
fn images_without_signatures_or_of_another_digest() {
    let world = trusting(World::on_free_ports().installed("v2"));
    let at = world.base + 12;
    let _registry = Web::on(at, registry(&["referrers", "legacy"]));
    let run = world.run(&format!(
        "inspect-rekor 127.0.0.1:{at}/sample@{}",
        image_digest()
    ));
    assert_eq!(run.exit, 1, "{}", run.seen());
    assert!(run.err.contains("carries no signature"), "{}", run.err);
    let run = world.run(&format!("inspect-rekor 127.0.0.1:{at}/sample:none"));
    assert_eq!(run.exit, 1, "{}", run.seen());

    let at = world.base + 13;
    let manifest = Mutex::new(recorded::bytes("registry/legacy.json"));
    let _other = Web::on(at, move |_, stream| {
        answer(stream, 200, &manifest.lock().unwrap())
    });
    let run = world.run(&format!(
        "inspect-rekor 127.0.0.1:{at}/sample@{}",
        image_digest()
    ));
    assert_eq!(run.exit, 2, "{}", run.seen());
    assert!(
        run.err.contains("answers with another image"),
        "{}",
        run.err
    );
    for image in [
        "''",
        "sample",
        "h.example/..",
        "h.example/a@sha256:1",
        "h.example/'a b'",
    ] {
        let run = world.run(&format!("inspect-rekor {image}"));
        assert_eq!(run.exit, 2, "{}", run.seen());
        assert!(run.err.contains("is not an image reference"), "{}", run.err);
    }
}
