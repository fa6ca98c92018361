//! What signatures, keys and state outlive: restarts, crashes, renewals, newer pins,
//! other ports.

use std::path::Path;

use crate::support::ports::Ports;
use crate::support::repo::repository;
use crate::support::run::{command, end, program};
use crate::support::skip::skipped;
use crate::support::workshop::Workshop;

#[test]
fn signatures_outlive_restarts_and_crashes() {
    let workshop = Workshop::installed(&["--rekor", "both"]);
    let [first, second] = ["v1", "v2"].map(|version| {
        let image = workshop.push(&format!("kept:{version}"), version);
        workshop.run(&["sign", &image, "--rekor", version]).ok();
        image
    });
    let verify_all = || {
        workshop.run(&["verify", &first, &second]).ok();
    };
    verify_all();

    workshop.run(&["restart"]).ok();
    verify_all();
    let of_v1 = ["--json", "inspect-rekor", "--rekor", "v1"];
    let kept = workshop.run(&of_v1).ok().json();

    // The logs go on where they were.
    let third = workshop.push("kept:3", "3");
    let signed = workshop.run(&["--json", "sign", &third]).ok().json();
    assert_eq!(signed["signatures"][0]["log_index"], 2);

    for component in workshop.components() {
        workshop.kill(&component);
    }
    workshop
        .run(&["status"])
        .fails(1, "not up: dex, ctlog, ct-tiles");
    workshop.run(&["start"]).ok();
    workshop.run(&["status"]).ok();
    verify_all();

    // Trillian alone: the log reads its entries back, with their times.
    let dex = workshop.pid("dex");
    workshop.kill("trillian");
    workshop.run(&["start"]).ok();
    assert_eq!(workshop.pid("dex"), dex, "what runs is left alone");
    verify_all();
    let again = workshop.run(&of_v1).ok().json();
    for same in ["uuid", "integrated_time", "log_index", "inclusion"] {
        assert_eq!(again[same], kept[same]);
    }
    let fourth = workshop.push("kept:4", "4");
    workshop.run(&["sign", &fourth, "--rekor", "v1"]).ok();
    workshop.run(&["verify", &fourth]).ok();

    // Rekor v1 alone: the same shard, the same entries.
    workshop.kill("rekor-v1");
    workshop.run(&["start", "rekor-v1"]).ok();
    workshop.run(&["inspect-rekor"]).ok();
    assert_eq!(
        workshop.run(&["--json", "start"]).ok().json()["changed"],
        false
    );
}

/// A certificate that ends soon is warned of; TLS, which no signature depends
/// on, is renewed by `start`.
#[test]
fn what_ends_soon_is_renewed_or_warned_of() {
    if program(&["openssl"]).is_none() {
        return skipped("openssl, which makes the certificates that end soon");
    }
    let workshop = Workshop::installed(&[]);
    let shorten = |name: &str| {
        let file = |end: &str| {
            workshop
                .dir()
                .join(format!("keys/{name}.{end}"))
                .display()
                .to_string()
        };
        let (key, pem) = (file("key"), file("pem"));
        let subject = [
            "-subj",
            "/CN=short",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ];
        let words = ["req", "-x509", "-days", "5", "-key", &key, "-out", &pem];
        end(command(
            Path::new("openssl"),
            &[&words[..], &subject].concat(),
        ))
        .ok();
    };
    shorten("registry-1");
    let warned = workshop.run(&["status"]).ok().out;
    assert!(
        warned.contains("warning: registry: its certificate ends"),
        "{warned}"
    );
    assert!(warned.trim_end().ends_with(" start"), "{warned}");
    let before = workshop.pid("registry");
    workshop.run(&["start"]).ok();
    assert_ne!(
        workshop.pid("registry"),
        before,
        "the registry uses the new certificate"
    );
    assert!(!workshop.run(&["status"]).ok().out.contains("warning"));
    workshop.run(&["sign"]).ok();
    workshop.run(&["verify"]).ok();

    shorten("fulcio-1");
    let warned = workshop.run(&["status"]).ok().out;
    assert!(warned.contains("rotate fulcio"), "{warned}");
}

/// Newer sources of the servers: they are built, the state stays.
#[test]
fn raised_pins_keep_the_state() {
    let workshop = Workshop::installed(&[]);
    workshop.run(&["sign"]).ok();
    let copy = workshop.temp.path().join("newer checkout");
    let words = [
        "-R",
        &repository().join("deploy").display().to_string(),
        &copy.display().to_string(),
    ];
    std::fs::create_dir(&copy).unwrap();
    end(command(Path::new("cp"), &words)).ok();
    let main = copy.join("deploy/local/cmd/loopback/main.go");
    let newer = std::fs::read_to_string(&main).unwrap() + "\n// A newer version.\n";
    std::fs::write(&main, newer).unwrap();

    let cache = workshop.temp.path().join("cache");
    let newer = |words: &[&str]| {
        let mut command = workshop.command(words);
        command
            .env("CARGO_MANIFEST_DIR", &copy)
            .env("WORKSHOP_CACHE", &cache);
        end(command)
    };
    newer(&["start"]).fails(2, "the servers of this version are not built");
    let before = workshop.pid("dex");
    newer(&["install"]).ok();
    assert_ne!(workshop.pid("dex"), before, "the new servers run");
    newer(&["verify"]).ok();
    newer(&["sign"]).ok();
    newer(&["verify"]).ok();
}

#[test]
fn ports_change_and_the_state_moves() {
    let mut workshop = Workshop::installed(&[]);
    workshop.run(&["sign"]).ok();
    let old_issuer = workshop.issuer();
    let sample = format!("{}/sample:latest", workshop.registry());
    let other = Ports::free();
    workshop
        .run(&["install", "--port-base", &other.base.to_string()])
        .fails(2, "the ports cannot change while");
    workshop.run(&["verify", &sample]).ok();
    workshop.run(&["stop"]).ok();
    workshop.run(&["stop"]).ok();

    // The state moves to another directory while nothing runs.
    let moved = workshop.temp.path().join("moved");
    std::fs::rename(&workshop.state, &moved).unwrap();
    workshop.state = moved;
    workshop.ports = other;
    workshop.install(&[]).ok();
    // The image moved with its registry; who vouched for Alice did not.
    workshop.run(&["verify", "--issuer", &old_issuer]).ok();
    workshop.run(&["sign"]).ok();
    workshop.run(&["verify"]).ok();
    workshop.run(&["install", "--rekor", "v1"]).ok();
    assert!(!workshop.components().contains(&"rekor-v2".to_owned()));
    workshop.run(&["verify"]).ok();
}

/// The program was killed after it had started a server, and before it could write down
/// which process that is.
#[test]
fn a_server_that_no_record_names_is_found() {
    let workshop = Workshop::installed(&[]);
    let record = workshop.dir().join("run/tiles.json");
    let lost = workshop.pid("tiles");
    std::fs::remove_file(&record).unwrap();
    workshop.run(&["start"]).ok();
    let next = workshop.pid("tiles");
    assert_ne!(next, lost);

    let text = std::fs::read_to_string(&record).unwrap();
    let cut = text.replace(&next.to_string(), "0");
    std::fs::write(&record, &cut).unwrap();
    workshop.run(&["start"]).ok();
    assert_ne!(workshop.pid("tiles"), next);
    let port = workshop.address(8);
    std::fs::write(&record, &cut).unwrap();
    workshop.run(&["stop", "tiles"]).ok();
    std::net::TcpListener::bind(&port).unwrap();
}
