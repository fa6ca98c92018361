//! Input that no honest server makes: refused, and never a panic.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use xtask::bundle;
use xtask::format::certificate::Leaf;
use xtask::format::protojson::strict_json;
use xtask::proof::{KnownChains, timestamp};
use xtask::registry::simple_signing;
use xtask::rekor;
use xtask::tlog::checkpoint::Checkpoint;
use xtask::tlog::merkle::{
    empty_root, inclusion_path, inclusion_proof, leaf_hash, verify_consistency,
};
use xtask::tlog::tiles::{self, TileTree};
use xtask::trust::root::TrustedRoot;

use super::{Files, Sample, base64, failed_links, trusted_root};
use crate::support::recorded::{bytes, json, text};

const CERTIFICATE: &str = "/verificationMaterial/certificate/rawBytes";
const ENTRY: &str = "/verificationMaterial/tlogEntries/0";
const TOKEN: &str =
    "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp";

/// The bytes of a part of a bundle.
fn part(name: &str, at: &str) -> Vec<u8> {
    base64(Sample::read(name).bundle.pointer(at).unwrap())
}

/// A JSON text in which the first field of this name is there twice.
fn twice(text: &str, name: &str) -> String {
    let field = format!("\"{name}\":");
    assert!(text.contains(&field), "{name}");
    text.replacen(&field, &format!("{field}null,{field}"), 1)
}

#[test]
fn keys_that_are_there_twice() {
    let bundle = Sample::read("beta.v1").bundle.to_string();
    for name in [
        "mediaType",
        "rawBytes",
        "logIndex",
        "canonicalizedBody",
        "kind",
        "signature",
    ] {
        assert!(
            bundle::read(twice(&bundle, name).as_bytes()).is_err(),
            "{name}"
        );
    }
    let answer = text("rekor-v1/entry-5.json");
    for name in ["body", "logIndex", "verification", "treeSize"] {
        assert!(
            rekor::read_v1(twice(&answer, name).as_bytes()).is_err(),
            "{name}"
        );
    }
    // In the body of an entry, which is JSON in JSON.
    let body = String::from_utf8(part("beta.v1", &format!("{ENTRY}/canonicalizedBody"))).unwrap();
    let mut sample = Sample::read("beta.v1");
    let at = format!("{ENTRY}/canonicalizedBody");
    *sample.bundle.pointer_mut(&at).unwrap() = BASE64_STANDARD.encode(twice(&body, "kind")).into();
    assert!(bundle::read(sample.bundle.to_string().as_bytes()).is_err());
    let mut answer = json("rekor-v1/entry-5.json");
    let entry = answer.as_object_mut().unwrap().values_mut().next().unwrap();
    entry["body"] = BASE64_STANDARD.encode(twice(&body, "kind")).into();
    assert!(rekor::read_v1(answer.to_string().as_bytes()).is_err());
    // In what cosign wrote before there were bundles.
    let payload = bytes("registry/legacy-payload.json");
    let mut annotations = json("registry/legacy.json")["layers"][0]["annotations"].clone();
    let bundle = annotations["dev.sigstore.cosign/bundle"].as_str().unwrap();
    annotations["dev.sigstore.cosign/bundle"] = twice(bundle, "logID").into();
    assert!(simple_signing(&annotations, payload).is_err());
    // In the trusted root.
    let root = serde_json::to_string(&json("trusted_root.json")).unwrap();
    for name in ["tlogs", "rawBytes", "keyId", "validFor", "start"] {
        assert!(
            TrustedRoot::read(twice(&root, name).as_bytes()).is_err(),
            "{name}"
        );
    }
    // However the two are spelled.
    assert!(strict_json(br#"{"a": 1, "\u0061": 2}"#).is_err());
}

/// An element of DER whose length is written in another way: with an end marker
/// (BER), or with more bytes than it takes.
fn long_windedly(der: &[u8]) -> [Vec<u8>; 2] {
    assert_eq!(der[..2], [0x30, 0x82]);
    let indefinite = [&[0x30, 0x80], &der[4..], &[0, 0]].concat();
    let padded = [&[0x30, 0x83, 0], &der[2..]].concat();
    [indefinite, padded]
}

#[test]
fn lengths_that_der_does_not_have() {
    let root = trusted_root();
    let signature = part("beta.v2", "/messageSignature/signature");
    let token = part("beta.v2", TOKEN);
    let certificate = part("beta.v2", CERTIFICATE);
    Leaf::from_der(&certificate).unwrap();
    timestamp::verify(&token, &signature, &root, &KnownChains::default()).unwrap();
    for other in long_windedly(&certificate) {
        assert!(Leaf::from_der(&other).is_err());
    }
    // The same within: the part that is signed.
    for inner in long_windedly(&certificate[4..]) {
        let length = u16::try_from(inner.len()).unwrap().to_be_bytes();
        let other = [&[0x30, 0x82], length.as_slice(), &inner].concat();
        assert!(Leaf::from_der(&other).is_err());
    }
    for other in long_windedly(&token) {
        assert!(timestamp::verify(&other, &signature, &root, &KnownChains::default()).is_err());
    }
    // Behind the status of 5 bytes follows the signed data.
    for inner in long_windedly(&token[9..]) {
        let length = u16::try_from(5 + inner.len()).unwrap().to_be_bytes();
        let other = [&[0x30, 0x82], length.as_slice(), &token[4..9], &inner].concat();
        assert!(timestamp::verify(&other, &signature, &root, &KnownChains::default()).is_err());
    }
}

#[test]
fn more_behind_the_end() {
    let root = trusted_root();
    for more in [&b"\0"[..], b" ", b"\n", b"{}"] {
        let with = |bytes: &[u8]| [bytes, more].concat();
        assert!(Leaf::from_der(&with(&part("beta.v2", CERTIFICATE))).is_err());
        let signature = part("beta.v2", "/messageSignature/signature");
        let token = with(&part("beta.v2", TOKEN));
        assert!(timestamp::verify(&token, &signature, &root, &KnownChains::default()).is_err());
        let checkpoint = with(&bytes("rekor-v2/checkpoint-7"));
        let checkpoint = String::from_utf8(checkpoint).unwrap();
        assert!(Checkpoint::read(&checkpoint).is_err(), "{more:?}");
    }
    for more in ["x", "{}", ",", "\0"] {
        let with = |name: &str| [&bytes(name), more.as_bytes()].concat();
        assert!(bundle::read(&with("bundles/beta.v2.sigstore.json")).is_err());
        assert!(rekor::read_v1(&with("rekor-v1/entry-5.json")).is_err());
        assert!(TrustedRoot::read(&with("trusted_root.json")).is_err());
    }
    // What ends too early.
    for name in ["beta.v1", "image.v2"] {
        let text = Sample::read(name).bundle.to_string();
        for end in (0..text.len()).step_by(7) {
            assert!(bundle::read(&text.as_bytes()[..end]).is_err());
        }
    }
    let certificate = part("beta.v2", CERTIFICATE);
    for end in 0..certificate.len() {
        assert!(Leaf::from_der(&certificate[..end]).is_err());
    }
    let checkpoint = text("rekor-v2/checkpoint-7");
    let ends = checkpoint.char_indices().map(|(at, _)| at);
    for end in ends {
        assert!(Checkpoint::read(&checkpoint[..end]).is_err(), "{end}");
    }
}

/// A bundle whose proof says another place or size.
fn failed(index: Value, size: Value) -> Option<Vec<&'static str>> {
    let sample = Sample::read("beta.v2");
    let mut other = sample.bundle.clone();
    let entry = other.pointer_mut(ENTRY).unwrap();
    entry["logIndex"] = index.clone();
    entry["inclusionProof"]["logIndex"] = index;
    entry["inclusionProof"]["treeSize"] = size;
    sample.failed(&other, &trusted_root())
}

#[test]
fn indexes_that_no_log_has() {
    let most = u64::MAX;
    let both = Some(vec!["inclusion", "checkpoint"]);
    // Numbers may be written as texts or not.
    for (index, size) in [
        (most, most),
        (most - 1, most),
        (5, most),
        (0, 0),
        (6, 6),
        (7, 6),
    ] {
        let wrong = failed(json!(index), json!(size));
        match size {
            6 => assert_eq!(wrong, Some(vec!["inclusion"]), "{index} of {size}"),
            _ => assert_eq!(wrong, both, "{index} of {size}"),
        }
        let text = |number: u64| json!(number.to_string());
        assert_eq!(failed(text(index), text(size)), wrong);
    }
    for number in [
        json!("18446744073709551616"),
        json!(-1),
        json!("-1"),
        json!(1.5),
        json!("+-1"),
        json!(1e30),
    ] {
        assert_eq!(failed(number.clone(), json!(6)), None, "{number}");
        assert_eq!(failed(json!(5), number), None);
    }
    // What is null is absent, and then 0.
    assert_eq!(failed(json!(null), json!(6)), Some(vec!["inclusion"]));
    assert_eq!(failed(json!(5), json!(null)), both);
    let mut answer = json("rekor-v1/entry-5.json");
    let uuid = answer.as_object().unwrap().keys().next().unwrap().clone();
    answer[&uuid]["logIndex"] = json!(most);
    answer[&uuid]["verification"]["inclusionProof"]["logIndex"] = json!(most);
    let proof = super::shown(answer.to_string().as_bytes(), &trusted_root()).unwrap();
    assert_eq!(failed_links(&proof), ["inclusion", "promise"]);
}

#[test]
fn an_id_of_a_log_that_is_none() {
    let mut answer = json("rekor-v1/entry-5.json");
    let uuid = answer.as_object().unwrap().keys().next().unwrap().clone();
    for id in [json!("xyz"), json!(""), json!("42"), json!(42), json!({})] {
        answer[&uuid]["logID"] = id.clone();
        let proof = super::shown(answer.to_string().as_bytes(), &trusted_root());
        let refused = proof.is_none_or(|proof| failed_links(&proof) == ["checkpoint", "promise"]);
        assert!(refused, "{id}");
    }
}

#[test]
fn sizes_at_the_edges() {
    let leaf = leaf_hash(b"x");
    for (index, size) in [(0, 0), (1, 1), (7, 7), (u64::MAX, u64::MAX), (u64::MAX, 0)] {
        assert!(
            inclusion_path(leaf, index, size, &[]).is_err(),
            "{index} of {size}"
        );
        assert!(
            inclusion_path(leaf, index, size, &[leaf; 64]).is_err(),
            "{index} of {size}"
        );
    }
    let root = BASE64_STANDARD.encode(empty_root());
    let signed = |size: &str| format!("log\n{size}\n{root}\n\n— log AAAAAAAA\n");
    assert_eq!(Checkpoint::read(&signed("0")).unwrap().size, 0);
    let most = u64::MAX.to_string();
    assert_eq!(Checkpoint::read(&signed(&most)).unwrap().size, u64::MAX);
    for size in [
        "18446744073709551616",
        "-1",
        "+1",
        "01",
        " 1",
        "1 ",
        "0x1",
        "1e3",
        "١",
    ] {
        assert!(Checkpoint::read(&signed(size)).is_err(), "{size:?}");
    }
    // A log without entries is the beginning of any.
    let empty = empty_root();
    assert_eq!(verify_consistency((0, &empty), (0, &empty), &[]), Ok(()));
    assert_eq!(
        verify_consistency((0, &empty), (u64::MAX, &leaf), &[]),
        Ok(())
    );
    assert!(verify_consistency((1, &leaf), (0, &empty), &[]).is_err());
    assert!(verify_consistency((u64::MAX - 1, &leaf), (u64::MAX, &leaf), &[leaf; 64]).is_err());
    // The recorded log does not hold as much as it is said to.
    for (index, size) in [
        (0, u64::MAX),
        (u64::MAX - 1, u64::MAX),
        (259, 261),
        (300, 301),
    ] {
        let mut tree = TileTree::new(Files, size);
        assert!(
            inclusion_proof(&mut tree, index, size).is_err(),
            "{index} of {size}"
        );
    }
    let path = tiles::path("0", u64::MAX / 256, 255);
    assert_eq!(path, "tile/0/x072/x057/x594/x037/x927/935.p/255");
    assert_eq!(tiles::width(u64::MAX, u64::MAX), 0);
    assert_eq!(
        tiles::entry(&bytes("rekor-v2/tile/entries/000.p/7"), usize::MAX),
        None
    );
}
