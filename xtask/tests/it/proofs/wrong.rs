//! Bundles of genuine parts that do not belong together, and trusted roots that do
//! not vouch for them: each time the right line is wrong, and no other.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use xtask::trust::root::TrustedRoot;

use super::{Sample, failed_links, trusted_root};
use crate::support::recorded::{bytes, json, text};

const ENTRIES: &str = "/verificationMaterial/tlogEntries";
const PROOF: &str = "/verificationMaterial/tlogEntries/0/inclusionProof";

/// The trusted root, changed.
fn root_with(change: impl FnOnce(&mut Value)) -> TrustedRoot {
    let mut root = json("trusted_root.json");
    change(&mut root);
    TrustedRoot::read(root.to_string().as_bytes()).unwrap()
}

/// The lines that are wrong once a part of one bundle stands in another.
fn failed_with(into: &str, at: &str, from: &str) -> Vec<&'static str> {
    let mut sample = Sample::read(into);
    let part = Sample::read(from).bundle.pointer(at).unwrap().clone();
    *sample.bundle.pointer_mut(at).unwrap() = part;
    sample.failed(&sample.bundle, &trusted_root()).unwrap()
}

#[test]
fn another_artifact() {
    for name in [
        "alpha.v1",
        "alpha.v2",
        "image.v1",
        "image.v2",
        "alpha-attestation.v2",
    ] {
        let mut sample = Sample::read(name);
        sample.subject = Sample::read("beta.v1").subject;
        let failed = sample.failed(&sample.bundle, &trusted_root());
        assert_eq!(failed, Some(vec!["artifact"]), "{name}");
    }
}

#[test]
fn the_entry_of_another_signature() {
    for (into, from) in [
        ("beta.v1", "alpha.v1"),
        ("image.v1", "image-attestation.v1"),
        ("beta.v2", "alpha-bob.v2"),
        ("image.v2", "beta.v2"),
        ("beta.v1", "beta.v2"),
    ] {
        let mut failed = failed_with(into, ENTRIES, from);
        // Of v1 the other entry also names another time.
        failed.retain(|name| *name != "validity" || !from.ends_with("v1"));
        assert_eq!(failed, ["entry"], "{into}, {from}");
    }
    // With a key the entry also says whose signature it is.
    let failed = failed_with("alpha-key.v2", ENTRIES, "alpha.v2");
    assert_eq!(failed, ["signature", "entry"]);
}

#[test]
fn the_proof_of_another_entry() {
    for (into, from) in [
        ("beta.v1", "image.v1"),
        ("beta.v2", "image.v2"),
        ("image.v2", "alpha-bob.v2"),
    ] {
        assert_eq!(
            failed_with(into, PROOF, from),
            ["inclusion"],
            "{into}, {from}"
        );
    }
}

#[test]
fn the_checkpoint_of_another_tree() {
    let at = format!("{PROOF}/checkpoint");
    for (into, from) in [
        ("beta.v1", "image.v1"),
        ("beta.v2", "image.v2"),
        ("beta.v2", "beta.v1"),
    ] {
        assert_eq!(
            failed_with(into, &at, from),
            ["checkpoint"],
            "{into}, {from}"
        );
    }
}

#[test]
fn the_certificate_of_another() {
    let at = "/verificationMaterial/certificate";
    let failed = failed_with("alpha.v2", at, "alpha-bob.v2");
    // It was issued later than the signature was made.
    assert_eq!(failed, ["signature", "entry", "validity"]);
}

#[test]
fn the_timestamp_of_another_signature() {
    let at = "/verificationMaterial/timestampVerificationData";
    assert_eq!(failed_with("beta.v1", at, "alpha.v1"), ["timestamp"]);
    assert_eq!(
        failed_with("beta.v2", at, "alpha.v2"),
        ["timestamp", "validity"]
    );
}

/// A log in tiles whose checkpoint a stranger signed, in its name or in another.
#[test]
fn a_checkpoint_that_another_key_signed() {
    let sample = Sample::read("beta.v2");
    let at = format!("{PROOF}/checkpoint/envelope");
    let genuine = sample.bundle.pointer(&at).unwrap().as_str().unwrap();
    let (signed, line) = genuine.split_once("\n\n").unwrap();
    let mut words = line.trim_start_matches("— ").split_whitespace();
    let (name, signature) = (words.next().unwrap(), words.next().unwrap());
    let hint = BASE64_STANDARD.decode(signature).unwrap()[..4].to_vec();
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let own_hint = |name: &str| {
        let hash = Sha256::new().chain_update(name).chain_update(b"\n\x01");
        hash.chain_update(key.public_key()).finalize()[..4].to_vec()
    };
    let signature = key.sign(format!("{signed}\n").as_bytes());
    let line = |name: &str, hint: Vec<u8>| {
        let bytes = BASE64_STANDARD.encode([hint.as_slice(), signature.as_ref()].concat());
        format!("— {name} {bytes}\n")
    };
    let failed = |lines: &str| {
        let mut other = sample.bundle.clone();
        *other.pointer_mut(&at).unwrap() = format!("{signed}\n\n{lines}").into();
        sample.failed(&other, &trusted_root()).unwrap()
    };
    assert_eq!(failed(&line(name, hint)), ["checkpoint"]);
    assert_eq!(failed(&line(name, own_hint(name))), ["checkpoint"]);
    assert_eq!(
        failed(&line("witness", own_hint("witness"))),
        ["checkpoint"]
    );
    // A witness may sign beside the log.
    let genuine = genuine.split_once("\n\n").unwrap().1;
    let beside = line("witness", own_hint("witness"));
    assert_eq!(failed(&format!("{genuine}{beside}")), [""; 0]);
    assert_eq!(failed(&format!("{beside}{genuine}")), [""; 0]);
}

/// Each kind of signer in turn is missing, or has another key.
#[test]
fn a_trusted_root_without_a_signer() {
    let other = root_with(|root| {
        // Keys of the right kinds, which belong to others.
        let keys = [0, 1].map(|i| root["tlogs"][i]["publicKey"]["rawBytes"].clone());
        root["ctlogs"][0]["publicKey"]["rawBytes"] = keys[0].clone();
    });
    let swapped = root_with(|root| {
        let chains = [
            &root["certificateAuthorities"],
            &root["timestampAuthorities"],
        ];
        let [fulcio, tsa] = chains.map(|all| all[0]["certChain"].clone());
        root["certificateAuthorities"][0]["certChain"] = tsa;
        root["timestampAuthorities"][0]["certChain"] = fulcio;
    });
    let without = |list: &str| root_with(|root| root[list] = json!([]));
    let exchanged = root_with(|root| {
        let ct = root["ctlogs"][0]["publicKey"]["rawBytes"].clone();
        root["tlogs"][0]["publicKey"]["rawBytes"] = ct;
    });
    for (name, wrong) in [
        (
            "beta.v1",
            [
                vec!["sct"],
                vec!["chain"],
                vec!["chain"],
                vec![],
                vec!["checkpoint", "promise"],
                vec![],
                vec!["checkpoint", "promise"],
            ],
        ),
        (
            "image.v2",
            [
                vec!["sct"],
                vec!["chain", "timestamp"],
                vec!["chain"],
                vec![],
                vec!["checkpoint"],
                vec!["validity"],
                vec![],
            ],
        ),
    ] {
        let sample = Sample::read(name);
        let roots = [
            &other,
            &swapped,
            &without("certificateAuthorities"),
            &without("ctlogs"),
            &without("tlogs"),
            &without("timestampAuthorities"),
            &exchanged,
        ];
        for (i, (root, mut wrong)) in roots.into_iter().zip(wrong).enumerate() {
            let mut failed = sample.failed(&sample.bundle, root).unwrap();
            failed.sort_unstable();
            wrong.sort_unstable();
            assert_eq!(failed, wrong, "{name}: root {i}");
        }
    }
    // Where nothing is trusted, that is said.
    let sample = Sample::read("beta.v1");
    for (list, line) in [("ctlogs", "sct"), ("timestampAuthorities", "timestamp")] {
        let proof = sample.proof(sample.bundle.to_string().as_bytes(), &without(list));
        let unchecked = proof.unwrap().unchecked;
        assert!(
            unchecked.iter().any(|link| link.link.name() == line),
            "{list}"
        );
    }
}

/// What was signed before a key counted, or after, was signed by nobody.
#[test]
fn a_trusted_root_of_another_time() {
    let past = json!({"start": "2001-01-01T00:00:00Z", "end": "2002-01-01T00:00:00Z"});
    let future = json!({"start": "2101-01-01T00:00:00Z"});
    for period in [past, future] {
        for (at, v1, v2) in [
            (
                "/certificateAuthorities/0/validFor",
                vec!["validity"],
                vec!["validity"],
            ),
            ("/ctlogs/0/publicKey/validFor", vec!["sct"], vec!["sct"]),
            ("/tlogs/0/publicKey/validFor", vec!["promise"], vec![]),
            ("/tlogs/1/publicKey/validFor", vec![], vec!["checkpoint"]),
            (
                "/timestampAuthorities/0/validFor",
                vec!["timestamp"],
                vec!["timestamp", "validity"],
            ),
        ] {
            let root = root_with(|root| *root.pointer_mut(at).unwrap() = period.clone());
            for (name, wrong) in [("beta.v1", v1), ("beta.v2", v2)] {
                let sample = Sample::read(name);
                let failed = sample.failed(&sample.bundle, &root);
                assert_eq!(failed, Some(wrong), "{name}: {at}");
            }
        }
    }
}

/// The entry of the log and the bundle that it was looked up for.
#[test]
fn the_log_shows_another_entry() {
    use xtask::proof::policy::Policy;
    use xtask::proof::{Evidence, KnownChains, prove};
    for (index, wrong) in [(5, vec![]), (0, vec!["entry", "validity"])] {
        let sample = Sample::read("beta.v1");
        let evidence = Evidence {
            subject: Some(sample.subject.clone()),
            bundle: Some(xtask::bundle::read(sample.bundle.to_string().as_bytes()).unwrap()),
            from_log: Some(
                xtask::rekor::read_v1(&bytes(&format!("rekor-v1/entry-{index}.json"))).unwrap(),
            ),
        };
        let proof = prove(
            &evidence,
            &trusted_root(),
            &KnownChains::default(),
            &Policy::default(),
        );
        assert_eq!(failed_links(&proof), wrong, "{index}");
    }
}

/// The name in a signature line is signed by nobody: it must be the log's.
#[test]
fn a_checkpoint_in_the_name_of_another_log() {
    use xtask::tlog::checkpoint::Checkpoint;
    let root = trusted_root();
    for (text, name) in [
        (
            json("rekor-v1/log-7.json")["signedTreeHead"]
                .as_str()
                .unwrap()
                .to_owned(),
            "— rekor-v1.workshop ",
        ),
        (text("rekor-v2/checkpoint-7"), "— 127.0.0.1 "),
    ] {
        assert!(Checkpoint::read(&text).unwrap().signer(&root).is_some());
        let other = Checkpoint::read(&text.replace(name, "— rekor.sigstore.dev ")).unwrap();
        assert!(other.signer(&root).is_none());
        for log in &root.tlogs {
            assert!(other.verify(log).is_err());
        }
    }
}
