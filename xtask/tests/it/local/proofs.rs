//! Proofs on real logs: what this program says of a signature, compared with what
//! cosign and rekor-cli say, on good and on tampered input; and a log that is caught
//! with two histories.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use xtask::entry::Version;
use xtask::http::Server;
use xtask::proof::policy::Policy;
use xtask::proof::{Evidence, KnownChains, prove};
use xtask::rekor::{self, Which};
use xtask::trust::root::TrustedRoot;

use super::ct_log::to_former_format;
use crate::support::clients::rekor_cli;
use crate::support::run::{command, end};
use crate::support::workshop::Workshop;

/// A change of a bundle or an answer.
type Change = fn(&mut Value);

/// What is done to a bundle or an answer.
struct Tampering {
    name: &'static str,
    how: Change,
    /// Why cosign accepts it all the same, where it does.
    cosign_accepts: Option<&'static str>,
}

fn tampering(name: &'static str, how: Change) -> Tampering {
    Tampering {
        name,
        how,
        cosign_accepts: None,
    }
}

/// Flips a bit in the middle of base64 of bytes.
fn flip(value: &mut Value) {
    let text = value.as_str().expect("there is base64 to flip a bit of");
    let mut bytes = BASE64_STANDARD.decode(text).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    *value = BASE64_STANDARD.encode(bytes).into();
}

fn flip_last(value: &mut Value) {
    let mut bytes = BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    *value = BASE64_STANDARD.encode(bytes).into();
}

/// The next number, however it is written.
fn next(value: &mut Value) {
    let number: u64 = match &*value {
        Value::String(text) => text.parse().unwrap(),
        other => other.as_u64().unwrap_or_default(),
    };
    *value = (number + 1).to_string().into();
}

/// Changes one letter of a checkpoint: at its root, or in its signature.
fn change_checkpoint(value: &mut Value, line: usize) {
    let text = value.as_str().unwrap();
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let word = lines[line].len() - 12;
    let letter = if &lines[line][word..=word] == "A" {
        "B"
    } else {
        "A"
    };
    lines[line].replace_range(word..=word, letter);
    *value = lines.join("\n").into();
}

fn entry(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"][0]
}

fn of_both() -> Vec<Tampering> {
    vec![
        tampering("signature", |b| {
            flip(&mut b["messageSignature"]["signature"])
        }),
        tampering("digest", |b| {
            flip(&mut b["messageSignature"]["messageDigest"]["digest"]);
        }),
        tampering("signature of the certificate", |b| {
            flip_last(&mut b["verificationMaterial"]["certificate"]["rawBytes"]);
        }),
        tampering("name in the certificate", |b| {
            let der = &mut b["verificationMaterial"]["certificate"]["rawBytes"];
            let mut bytes = BASE64_STANDARD.decode(der.as_str().unwrap()).unwrap();
            let at = bytes.windows(5).position(|name| name == b"alice").unwrap();
            bytes[at..at + 5].copy_from_slice(b"malic");
            *der = BASE64_STANDARD.encode(bytes).into();
        }),
        tampering("body", |b| {
            let body = &mut entry(b)["canonicalizedBody"];
            let text = BASE64_STANDARD.decode(body.as_str().unwrap()).unwrap();
            let text = String::from_utf8(text)
                .unwrap()
                .replace("content", "contend");
            *body = BASE64_STANDARD.encode(text).into();
        }),
        tampering("hash of the proof", |b| {
            flip(&mut entry(b)["inclusionProof"]["hashes"][0]);
        }),
        tampering("a hash less", |b| {
            let hashes = &mut entry(b)["inclusionProof"]["hashes"];
            hashes.as_array_mut().unwrap().pop();
        }),
        tampering("root in the checkpoint", |b| {
            change_checkpoint(&mut entry(b)["inclusionProof"]["checkpoint"]["envelope"], 2);
        }),
        tampering("signature of the checkpoint", |b| {
            change_checkpoint(&mut entry(b)["inclusionProof"]["checkpoint"]["envelope"], 4);
        }),
        tampering("no checkpoint", |b| {
            let proof = entry(b)["inclusionProof"].as_object_mut().unwrap();
            proof.remove("checkpoint");
        }),
        tampering("no proof", |b| {
            entry(b).as_object_mut().unwrap().remove("inclusionProof");
        }),
        tampering("no entry", |b| {
            let material = b["verificationMaterial"].as_object_mut().unwrap();
            material.remove("tlogEntries");
        }),
        tampering("another log", |b| flip(&mut entry(b)["logId"]["keyId"])),
    ]
}

fn of_v1() -> Vec<Tampering> {
    vec![
        tampering("promise", |b| {
            flip(&mut entry(b)["inclusionPromise"]["signedEntryTimestamp"]);
        }),
        tampering("root", |b| {
            flip(&mut entry(b)["inclusionProof"]["rootHash"])
        }),
        tampering("tree size", |b| {
            next(&mut entry(b)["inclusionProof"]["treeSize"])
        }),
        tampering("index in the proof", |b| {
            next(&mut entry(b)["inclusionProof"]["logIndex"]);
        }),
        tampering("time", |b| next(&mut entry(b)["integratedTime"])),
        tampering("index", |b| next(&mut entry(b)["logIndex"])),
    ]
}

fn of_v2() -> Vec<Tampering> {
    fn token(bundle: &mut Value) -> &mut Value {
        let data = &mut bundle["verificationMaterial"]["timestampVerificationData"];
        &mut data["rfc3161Timestamps"][0]["signedTimestamp"]
    }
    vec![
        tampering("signature of the timestamp", |b| flip_last(token(b))),
        tampering("imprint of the timestamp", |b| flip(token(b))),
        tampering("no timestamp", |b| {
            let material = b["verificationMaterial"].as_object_mut().unwrap();
            material.remove("timestampVerificationData");
        }),
        Tampering {
            cosign_accepts: Some("it takes the root from the checkpoint"),
            ..tampering("root", |b| {
                flip(&mut entry(b)["inclusionProof"]["rootHash"])
            })
        },
        Tampering {
            cosign_accepts: Some("it takes the tree size from the checkpoint"),
            ..tampering("tree size", |b| {
                next(&mut entry(b)["inclusionProof"]["treeSize"])
            })
        },
        Tampering {
            cosign_accepts: Some("it takes the index from beside the proof"),
            ..tampering("index in the proof", |b| {
                next(&mut entry(b)["inclusionProof"]["logIndex"]);
            })
        },
        tampering("index", |b| next(&mut entry(b)["logIndex"])),
    ]
}

/// Both say yes to what is good, and no to what was tampered with.
#[test]
fn cosign_agrees_on_good_and_tampered_bundles() {
    let workshop = Workshop::installed(&["--rekor", "both"]);
    let file = workshop.temp.path().join("artifact.txt");
    std::fs::write(&file, "the artifact\n").unwrap();
    let file = file.to_str().unwrap();
    let identity = [
        "--identity",
        "alice@example.com",
        "--issuer",
        &workshop.issuer(),
    ];
    for (version, special) in [("v1", of_v1()), ("v2", of_v2())] {
        let bundle = workshop.temp.path().join(format!("{version}.json"));
        let bundle = bundle.to_str().unwrap();
        let sign = [
            "sign", "--rekor", version, "--blob", file, "--bundle", bundle,
        ];
        // The second entry has a proof with hashes in it.
        workshop.run(&sign).ok();
        workshop.run(&sign).ok();
        let good: Value = serde_json::from_slice(&std::fs::read(bundle).unwrap()).unwrap();
        let both = |bundle: &Value| {
            let tampered = workshop.temp.path().join("tampered.json");
            std::fs::write(&tampered, bundle.to_string()).unwrap();
            let tampered = tampered.to_str().unwrap();
            let named = ["--blob", file, "--bundle", tampered];
            let alone = ["verify", "--from", "verify"];
            let cosign = workshop.run(&[&alone[..], &named[..], &identity[..]].concat());
            let ours = workshop.run(&[&["inspect-rekor"], &named[..], &identity[..]].concat());
            assert!(matches!(ours.exit, 0..=2), "{ours:?}");
            (cosign, ours)
        };
        let (cosign, ours) = both(&good);
        cosign.ok();
        ours.ok();
        for tampering in of_both().into_iter().chain(special) {
            let mut tampered = good.clone();
            (tampering.how)(&mut tampered);
            assert_ne!(tampered, good, "{}", tampering.name);
            let (cosign, ours) = both(&tampered);
            assert_ne!(ours.exit, 0, "{version}, {}: {}", tampering.name, ours.out);
            let accepted = cosign.exit == 0;
            assert_eq!(
                accepted,
                tampering.cosign_accepts.is_some(),
                "{version}, {}: cosign ends with {}, this program with {}\n{}\n{}",
                tampering.name,
                cosign.exit,
                ours.exit,
                cosign.err,
                ours.out
            );
        }
        // Another file, another name, another issuer: the same of both.
        let other = workshop.temp.path().join("other.txt");
        std::fs::write(&other, "another artifact\n").unwrap();
        let other = other.to_str().unwrap();
        for (file, name, issuer) in [
            (other, "alice@example.com", workshop.issuer()),
            (file, "bob@example.com", workshop.issuer()),
            (
                file,
                "alice@example.com",
                "http://127.0.0.1:1/dex".to_owned(),
            ),
        ] {
            let named = ["--blob", file, "--bundle", bundle];
            let named = [&named[..], &["--identity", name, "--issuer", &issuer]].concat();
            assert_eq!(workshop.run(&[&["verify"], &named[..]].concat()).exit, 1);
            assert_eq!(
                workshop
                    .run(&[&["inspect-rekor"], &named[..]].concat())
                    .exit,
                1
            );
        }
    }
}

/// An image with signatures in both logs: all are found and proved, and each check
/// has its line.
#[test]
fn every_signature_of_an_image_is_proved() {
    let workshop = Workshop::installed(&["--rekor", "both"]);
    let image = workshop.push_digest("many:1", "signed by several");
    workshop
        .run(&["inspect-rekor", &image])
        .fails(1, "carries no signature");
    for (user, version) in [("alice", "v1"), ("bob", "v2")] {
        let sign = ["sign", "--as", user, "--rekor", version, &image];
        workshop.run(&sign).ok();
    }
    let said = workshop.run(&["--json", "inspect-rekor", &image]).ok().out;
    let all: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(all.len(), 2, "{said}");
    for signature in &all {
        assert_eq!(signature["ok"], true, "{signature}");
        assert_eq!(signature["artifact"], image);
        let checks = signature["checks"].as_array().unwrap();
        let mut names: Vec<&str> = checks
            .iter()
            .map(|check| check["name"].as_str().unwrap())
            .collect();
        if signature["rekor"] == "v1" {
            assert_eq!(names.remove(5), "promise");
        }
        assert_eq!(
            names,
            [
                "artifact",
                "signature",
                "entry",
                "inclusion",
                "checkpoint",
                "consistency",
                "chain",
                "sct",
                "ct-inclusion",
                "timestamp",
                "validity"
            ]
        );
    }
    // Only one of the two is Bob's.
    let bob = workshop.run(&[
        "--json",
        "inspect-rekor",
        &image,
        "--identity",
        "bob@example.com",
    ]);
    let expected: Vec<bool> = bob
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["ok"] == true)
        .collect();
    assert_eq!(
        (bob.exit, expected.iter().filter(|ok| **ok).count()),
        (1, 1)
    );
    // Without the log the bundles still prove what they can.
    workshop.run(&["stop", "rekor-v1", "tiles"]).ok();
    let said = workshop.run(&["inspect-rekor", &image]).ok().out;
    assert_eq!(
        said.matches("- consistency  not checked").count(),
        2,
        "{said}"
    );
    let tag = image.split_once('@').unwrap().0.to_owned() + ":1";
    workshop.run(&["inspect-certificate", &tag]).ok();
}

/// The operator of a log puts an older copy of its storage back and goes on from
/// there. Whoever remembers what was signed in between sees it.
#[test]
fn a_log_with_two_histories_is_caught() {
    let workshop = Workshop::installed(&[]);
    let storage = workshop.dir().join("data/rekor-v2");
    let copy = workshop.temp.path().join("older copy");
    let copied = |from: &Path, to: &Path| {
        end(command(
            Path::new("cp"),
            &["-a", from.to_str().unwrap(), to.to_str().unwrap()],
        ))
        .ok();
    };
    workshop.run(&["sign"]).ok();
    workshop.run(&["inspect-rekor"]).ok();
    workshop.run(&["stop"]).ok();
    copied(&storage, &copy);
    workshop.run(&["start"]).ok();
    workshop.run(&["sign"]).ok();
    let said = workshop.run(&["inspect-rekor"]).ok().out;
    assert!(
        said.contains("begins with the 2 entries last seen; 1 more"),
        "{said}"
    );
    let kept = || {
        let files = std::fs::read_dir(workshop.dir().join("checkpoints")).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let mut kept = files
            .filter(|file| file.extension().is_some_and(|kind| kind == "checkpoint"))
            .map(|file| std::fs::read_to_string(file).unwrap());
        // The CT log has another origin.
        kept.find(|text| text.starts_with("127.0.0.1\n")).unwrap()
    };
    let before = kept();

    workshop.run(&["stop"]).ok();
    std::fs::remove_dir_all(&storage).unwrap();
    copied(&copy, &storage);
    workshop.run(&["start"]).ok();
    let shrunk = workshop.run(&["inspect-rekor", "--log-index", "1"]);
    shrunk.fails(
        1,
        "the log has two histories: it shrank from 3 entries to 2",
    );
    assert_eq!(kept(), before);

    workshop.run(&["sign", "--as", "bob"]).ok();
    let forked = workshop.run(&["inspect-rekor"]).fails(
        1,
        "the log has two histories: two roots for the same 3 entries",
    );
    assert!(forked.out.contains("✗ consistency"), "{}", forked.out);
    let root = before.lines().nth(2).unwrap();
    assert!(
        forked.err.contains(root),
        "the old checkpoint is shown: {}",
        forked.err
    );
    assert_eq!(kept(), before);

    // It goes on, and stays another log than the one that was seen.
    workshop.run(&["sign"]).ok();
    workshop
        .run(&["inspect-rekor"])
        .fails(1, "it does not begin with the 3 entries seen before");
    assert_eq!(kept(), before);
}

/// An entry of a shard of Rekor v1 that ended is lost, and its bundle proves it.
#[test]
fn a_lost_shard_leaves_the_bundle() {
    let workshop = Workshop::installed(&["--rekor", "v1"]);
    let signed = workshop.run(&["--json", "sign"]).ok().json();
    workshop.run(&["inspect-rekor"]).ok();
    workshop.run(&["stop"]).ok();
    to_former_format(&workshop, "rekor-v1");
    workshop.run(&["start"]).ok();
    workshop.run(&["verify"]).ok();
    workshop
        .run(&["inspect-rekor"])
        .fails(1, "the entry was in shard 1 of Rekor v1, which has ended");
    let bundle = signed["signatures"][0]["bundle"].as_str().unwrap();
    let said = workshop
        .run(&["inspect-rekor", "--bundle", bundle])
        .ok()
        .out;
    assert!(said.contains("✓ inclusion"), "{said}");
    // The image leads to the bundle as well, and the new shard is another log.
    let said = workshop
        .run(&["inspect-rekor", &workshop.env("WORKSHOP_SAMPLE")])
        .ok()
        .out;
    assert!(said.contains("- consistency  not checked"), "{said}");
}

/// A server between a client and Rekor v1 that changes what the log says of an entry.
fn between(rekor: &Server, change: impl Fn(&mut Value) + Send + 'static) -> Server {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let rekor = rekor.url.trim_start_matches("http://").to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            // A client that has seen enough may be gone.
            let _ = pass_on(client.unwrap(), &rekor, &change);
        }
    });
    Server::at(url)
}

/// Passes one request on and its answer back. HTTP/1.0 has no other end of an answer
/// than that of the connection.
fn pass_on(
    mut client: TcpStream,
    rekor: &str,
    change: &impl Fn(&mut Value),
) -> std::io::Result<()> {
    let mut request = BufReader::new(client.try_clone()?);
    let (mut head, mut length, mut first) = (String::new(), 0, true);
    loop {
        let mut line = String::new();
        request.read_line(&mut line)?;
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if std::mem::take(&mut first) {
            line = line.replace("HTTP/1.1", "HTTP/1.0");
        }
        if !lower.starts_with("connection:") && !lower.starts_with("accept-encoding:") {
            head += &line;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    request.read_exact(&mut body)?;
    let mut server = TcpStream::connect(rekor)?;
    server.write_all(&[head.as_bytes(), &body].concat())?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap()
        + 4;
    let mut body = answer.split_off(end);
    if let Ok(mut entries) = serde_json::from_slice::<Value>(&body)
        && head.contains("/log/entries")
    {
        // One by its name, or a list of such.
        let one = match &mut entries {
            Value::Array(list) => &mut list[0],
            one => one,
        };
        let entry = one.as_object_mut().unwrap().values_mut().next();
        change(entry.unwrap());
        body = entries.to_string().into_bytes();
    }
    let head = String::from_utf8(answer).unwrap();
    let own = |line: &&str| !line.to_lowercase().starts_with("content-length:");
    let head: Vec<&str> = head.trim_end().split("\r\n").filter(own).collect();
    let head = format!(
        "{}\r\nContent-Length: {}\r\n\r\n",
        head.join("\r\n"),
        body.len()
    );
    client.write_all(head.as_bytes())?;
    client.write_all(&body)
}

/// Changes the first of some hexadecimal digits.
fn change_digit(value: &mut Value) {
    let text = value.as_str().unwrap();
    let first = if text.starts_with('0') { "1" } else { "0" };
    *value = format!("{first}{}", &text[1..]).into();
}

/// rekor-cli says the same of what Rekor v1 answers, good or tampered with.
#[test]
fn rekor_cli_agrees_on_good_and_tampered_answers() {
    let Some(rekor_cli) = rekor_cli() else {
        return;
    };
    let workshop = Workshop::installed(&["--rekor", "v1"]);
    for _ in 0..2 {
        workshop.run(&["sign"]).ok();
    }
    let entry = workshop.run(&["--json", "inspect-rekor"]).ok().json();
    let uuid = entry["uuid"].as_str().unwrap();
    let root = std::fs::read(workshop.dir().join("trust/trusted_root.json")).unwrap();
    let root = TrustedRoot::read(&root).unwrap();
    let rekor = Server::at(format!("http://{}", workshop.address(9)));
    let both = |change: Change| {
        let server = between(&rekor, change);
        let words = [
            "verify",
            "--rekor_server",
            &server.url,
            "--uuid",
            uuid,
            "--store_tree_state=false",
            "--retry=0",
        ];
        let mut theirs = command(&rekor_cli, &words);
        theirs.env("HOME", workshop.temp.path());
        let ours = rekor::fetch(Version::V1, &server, &Which::Uuid(uuid.to_owned()));
        let proved = ours.is_ok_and(|(entry, _)| {
            let evidence = Evidence {
                from_log: Some(entry),
                ..Evidence::default()
            };
            let proof = prove(
                &evidence,
                &root,
                &KnownChains::default(),
                &Policy::default(),
            );
            proof.failed().is_empty()
        });
        (end(theirs), proved)
    };
    let (theirs, ours) = both(|_| {});
    theirs.ok();
    assert!(ours);
    let tamperings: [(&str, Change); 8] = [
        ("body", |e| flip(&mut e["body"])),
        ("promise", |e| {
            flip(&mut e["verification"]["signedEntryTimestamp"])
        }),
        ("time", |e| {
            e["integratedTime"] = json!(e["integratedTime"].as_u64().unwrap() + 1)
        }),
        ("hash", |e| {
            change_digit(&mut e["verification"]["inclusionProof"]["hashes"][0])
        }),
        ("root", |e| {
            change_digit(&mut e["verification"]["inclusionProof"]["rootHash"])
        }),
        ("index", |e| {
            e["verification"]["inclusionProof"]["logIndex"] = json!(0)
        }),
        ("size", |e| {
            e["verification"]["inclusionProof"]["treeSize"] = json!(4)
        }),
        ("checkpoint", |e| {
            change_checkpoint(&mut e["verification"]["inclusionProof"]["checkpoint"], 4);
        }),
    ];
    for (name, change) in tamperings {
        let (theirs, ours) = both(change);
        assert_ne!(
            theirs.exit, 0,
            "{name}: rekor-cli accepts it: {}",
            theirs.out
        );
        assert!(!ours, "{name}");
    }
}
