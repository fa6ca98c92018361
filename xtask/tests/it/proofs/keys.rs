//! Keys of other kinds than the workshop's servers use: RSA is read everywhere, and
//! what is not read is said to be that, and not wrong.

use serde_json::{Value, json};
use xtask::bundle;
use xtask::proof::policy::Policy;
use xtask::proof::{Evidence, KnownChains, Link, Proof, Subject, prove};
use xtask::trust::root::TrustedRoot;

use super::{base64, failed_links};
use crate::support::recorded::{bytes, json};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

const RSA: [&str; 3] = ["rsa-2048", "rsa-3072-pss", "rsa-4096"];

fn root(name: &str) -> Value {
    json(&format!("keys/{name}.trusted_root.json"))
}

fn bundle(name: &str) -> Value {
    json(&format!("keys/{name}.sigstore.json"))
}

/// What comes of a bundle; `None` where it cannot be read.
fn proof(bundle: &Value, root: &Value, with_file: bool) -> Option<Proof> {
    let bytes = bytes("blobs/alpha.txt");
    let subject = Subject {
        name: "alpha.txt".into(),
        digest: bundle::sha256(&bytes),
        other_digest: None,
        bytes: Some(bytes),
    };
    let evidence = Evidence {
        subject: with_file.then_some(subject),
        bundle: Some(bundle::read(bundle.to_string().as_bytes()).ok()?),
        from_log: None,
    };
    let root = TrustedRoot::read(root.to_string().as_bytes()).unwrap();
    Some(prove(
        &evidence,
        &root,
        &KnownChains::default(),
        &Policy::default(),
    ))
}

fn wrong(proof: &Proof) -> Vec<&'static str> {
    let wrong = proof.checks.iter().filter(|check| !check.ok);
    wrong.map(|check| check.link.name()).collect()
}

#[test]
fn rsa_is_read_of_signers_authorities_and_logs() {
    for name in RSA {
        let proof = proof(&bundle(name), &root(name), true).unwrap();
        assert_eq!(failed_links(&proof), [""; 0], "{name}: {:?}", proof.checks);
        let held: Vec<&str> = proof.checks.iter().map(|check| check.link.name()).collect();
        let links = [
            "artifact",
            "signature",
            "entry",
            "inclusion",
            "checkpoint",
            "promise",
            "chain",
            "sct",
            "timestamp",
            "validity",
        ];
        assert_eq!(held, links, "{name}");
    }
}

/// ring hashes messages itself, so without the file there is nothing to check.
#[test]
fn a_signature_with_an_rsa_key_needs_the_file() {
    let proof = proof(&bundle(RSA[0]), &root(RSA[0]), false).unwrap();
    assert_eq!(failed_links(&proof), [""; 0]);
    let unchecked = proof.unchecked.iter();
    let signature = unchecked.clone().find(|link| link.link == Link::Signature);
    let why = "an RSA key signs the file itself, which was not given";
    assert_eq!(signature.unwrap().detail, why);
}

/// Each place where an RSA key signed something, and the link that it is.
#[test]
fn another_bit_in_an_rsa_signature_is_wrong() {
    const ENTRY: &str = "/verificationMaterial/tlogEntries/0";
    let timestamp =
        "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp";
    let promise = format!("{ENTRY}/inclusionPromise/signedEntryTimestamp");
    let places = [
        ("/messageSignature/signature", "signature"),
        (&*promise, "promise"),
        ("/verificationMaterial/certificate/rawBytes", "chain"),
        (timestamp, "timestamp"),
    ];
    for name in RSA {
        for (place, link) in places {
            let mut other = bundle(name);
            let value = other.pointer_mut(place).unwrap();
            let mut bytes = base64(value);
            // The signature is the end of each of them.
            *bytes.last_mut().unwrap() ^= 1;
            *value = BASE64_STANDARD.encode(bytes).into();
            let wrong = wrong(&proof(&other, &root(name), true).unwrap());
            assert!(wrong.contains(&link), "{name}, {place}: {wrong:?}");
        }
        let mut other = bundle(name);
        let at = format!("{ENTRY}/inclusionProof/checkpoint/envelope");
        let value = other.pointer_mut(&at).unwrap();
        let note = value.as_str().unwrap().to_owned();
        let (text, signature) = note.rsplit_once(' ').unwrap();
        let mut bytes = BASE64_STANDARD.decode(signature.trim_end()).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        *value = format!("{text} {}\n", BASE64_STANDARD.encode(bytes)).into();
        let wrong = wrong(&proof(&other, &root(name), true).unwrap());
        assert_eq!(wrong, ["checkpoint"], "{name}");
    }
}

/// A trusted root with the RSA keys of others, under the ids and names of the right ones.
#[test]
fn another_rsa_key_is_wrong() {
    let (right, others) = (root("rsa-2048"), root("p521-signer"));
    let key = "/publicKey/rawBytes";
    for (kind, link) in [("tlogs", "checkpoint"), ("ctlogs", "sct")] {
        let mut root = right.clone();
        let key = format!("/{kind}/0{key}");
        *root.pointer_mut(&key).unwrap() = others.pointer(&key).unwrap().clone();
        let wrong = wrong(&proof(&bundle("rsa-2048"), &root, true).unwrap());
        assert!(wrong.contains(&link), "{kind}: {wrong:?}");
    }
    let with = |kind: &str| {
        let mut root = right.clone();
        root[kind] = others[kind].clone();
        proof(&bundle("rsa-2048"), &root, true).unwrap()
    };
    assert_eq!(wrong(&with("certificateAuthorities")), ["chain"]);
    // A stranger's timestamp counts for nothing, and the log promised a time as well.
    let proof = with("timestampAuthorities");
    let timestamp = |link: Link| link == Link::Timestamp;
    assert!(!proof.checks.iter().any(|check| timestamp(check.link)));
    let why = proof.unchecked.iter().find(|left| timestamp(left.link));
    let why = &why.unwrap().detail;
    assert!(why.starts_with("it counts for nothing: "), "{why}");
}

/// `ecdsa-sha2-512-nistp521` is not read: nothing is known to be wrong, and nothing is
/// proved.
#[test]
fn what_is_not_read_is_not_proved_and_not_wrong() {
    let cases: [(&str, &[&str]); 4] = [
        ("p521-signer", &["signature"]),
        ("p521-authority", &["chain"]),
        ("p521-timestamp", &["timestamp"]),
        ("p521-log", &["checkpoint", "promise", "sct"]),
    ];
    for (name, not_read) in cases {
        let proof = proof(&bundle(name), &root(name), true).unwrap();
        assert_eq!(wrong(&proof), [""; 0], "{name}: {:?}", proof.checks);
        assert_eq!(
            failed_links(&proof),
            not_read,
            "{name}: {:?}",
            proof.unchecked
        );
    }
}

/// Where nothing else names the time, a timestamp that is not read is no wrong one.
#[test]
fn a_time_that_is_not_read_is_not_missing() {
    let mut bundle = bundle("p521-timestamp");
    let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
    entry["inclusionPromise"] = json!(null);
    let proof = proof(&bundle, &root("p521-timestamp"), true);
    if let Some(proof) = proof {
        assert!(!wrong(&proof).contains(&"validity"), "{:?}", proof.checks);
    }
}
