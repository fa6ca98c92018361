//! `inspect-rekor --bundle`: proofs without a server.

use std::fs;
use std::process::Stdio;
use xtask::proof::Link;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::support::proved::{checks, offline};
use crate::support::recorded::{self, bundle, file};
use crate::support::world::World;

fn of_bundle(name: &str) -> String {
    format!("inspect-rekor --bundle {}", bundle(name).display())
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
                let known = Link::ALL.map(Link::name);
                assert!(known.iter().any(|name| check["name"] == *name));
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
        run.err.contains("error: none.json: that is not a bundle"),
        "{}",
        run.err
    );
}

#[test]
fn mistakes_in_what_is_named() {
    let world = World::new();
    let alpha = bundle("alpha.v1");
    // What is there as a file is one, and a bundle is one as well.
    let named = offline(&world, &format!("inspect-rekor {}", alpha.display()));
    assert!(named.ok().out.starts_with("alice@example.com signed "));
    let blob = file("blobs/alpha.txt");
    let unsigned = offline(&world, &format!("inspect-rekor {}", blob.display()));
    assert_eq!(unsigned.exit, 1, "{}", unsigned.seen());
    let said = "the file carries no signature: there is no ";
    assert!(unsigned.err.contains(said), "{}", unsigned.err);
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
        assert!(run.err.contains("[REFUSED: "), "{}", run.err);
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

/// Nothing is known to be wrong, and nothing is proved: 1 and not 0, and no check says
/// no.
#[test]
fn what_is_not_read_is_not_proved() {
    let world = World::new();
    let of_key = |name: &str| {
        format!(
            "--json inspect-rekor --bundle {} --trusted-root {}",
            file(&format!("keys/{name}.sigstore.json")).display(),
            file(&format!("keys/{name}.trusted_root.json")).display()
        )
    };
    let run = world.run(&of_key("p521-signer"));
    assert_eq!(run.exit, 1, "{}", run.seen());
    let documents = run.events();
    assert_eq!(documents[0]["ok"], false);
    assert_eq!(checks(&documents[0]).1, [""; 0]);
    let unchecked = documents[0]["unchecked"].as_array().unwrap();
    let signature = unchecked.iter().find(|link| link["name"] == "signature");
    let detail = "this program reads no keys of that kind (1.3.132.0.35)";
    assert_eq!(signature.unwrap()["detail"], detail);
    world.run(&of_key("rsa-4096")).ok();
    let shown = world.run(&of_key("p521-signer").replace("--json ", ""));
    assert_eq!(shown.exit, 1, "{}", shown.seen());
    assert!(shown.err.contains("not proved: signature"), "{}", shown.err);
    assert!(!shown.out.contains('✗'), "{}", shown.out);
}

/// Files of others hold several bundles: each is shown, and named by its place.
#[test]
fn several_bundles_in_one_file() {
    let world = World::new();
    let line = |name: &str| recorded::json(&format!("bundles/{name}.sigstore.json")).to_string();
    let lines = format!("{}\n{}\n", line("alpha.v1"), line("beta.v2"));
    world.write("work/all.jsonl", &lines);
    let documents = offline(&world, "--json inspect-rekor --bundle all.jsonl")
        .ok()
        .events();
    let found: Vec<&Value> = documents.iter().map(|one| &one["found_at"]).collect();
    assert_eq!(
        found,
        ["all.jsonl: bundle 1 of 2", "all.jsonl: bundle 2 of 2"]
    );
    // To verify a file, one of them has to be of it.
    let verify = |blob: &str| {
        let root = file("trusted_root.json");
        world.run(&format!(
            "verify -q --blob {} --bundle all.jsonl --identity alice@example.com --issuer-regexp ^http: --trusted-root {}",
            file(&format!("blobs/{blob}")).display(),
            root.display()
        ))
    };
    verify("alpha.txt").ok();
    verify("beta.txt").ok();
    verify("predicate.json").fails(1, "predicate.json is not what was signed: ");
    world.write("work/bad.jsonl", &format!("{lines}{{}}\n"));
    let run = offline(&world, "inspect-rekor --bundle bad.jsonl");
    run.fails(2, "error: bad.jsonl: line 3: that is no Sigstore bundle");
}
