//! One bit is flipped in every byte that someone signed or hashed: each time a
//! bundle is refused, or the right line does not hold.

use std::ops::Range;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use xtask::fail::Fail;
use xtask::format::certificate::Leaf;
use xtask::format::hex::{hex, unhex};
use xtask::format::key::Unproved;
use xtask::proof::{KnownChains, Link, Unchecked, sct, timestamp};
use xtask::tlog::checkpoint::Checkpoint;
use xtask::tlog::merkle::{
    Hash, consistency_proof, inclusion_proof, leaf_hash, root_from_inclusion_proof,
    verify_consistency,
};
use xtask::tlog::tiles::{self, Source, TileTree};

use super::{Files, Sample, base64, failed_links, hash, shown, trusted_root};
use crate::support::recorded::{bytes, json, text};

/// How JSON holds a part.
#[derive(Clone, Copy)]
enum Form {
    Base64,
    Hex,
    Text,
    Number,
}

/// A part of a document, and what must not hold once a bit of it is another.
struct Part {
    /// A JSON pointer.
    at: String,
    form: Form,
    /// The lines that must be wrong.
    wrong: Vec<&'static str>,
    /// Those that may be.
    may: Vec<&'static str>,
    /// The bytes that nobody signed.
    free: Vec<Range<usize>>,
}

fn part(at: impl Into<String>, form: Form, wrong: &[&'static str]) -> Part {
    Part {
        at: at.into(),
        form,
        wrong: wrong.to_vec(),
        may: Vec::new(),
        free: Vec::new(),
    }
}

impl Part {
    fn may(mut self, names: &[&'static str]) -> Part {
        self.may = names.to_vec();
        self
    }

    /// The part with a bit flipped in each of its bytes, and which byte that was. A
    /// text that is none any more is left out: JSON cannot hold it.
    fn flipped(&self, value: &Value) -> Vec<(usize, Value)> {
        let text = || value.as_str().unwrap();
        match self.form {
            Form::Base64 => flips(&base64(value))
                .map(|(at, bytes)| (at, BASE64_STANDARD.encode(bytes).into()))
                .collect(),
            Form::Hex => flips(&unhex(text()).unwrap())
                .map(|(at, bytes)| (at, hex(&bytes).into()))
                .collect(),
            Form::Text => flips(text().as_bytes())
                .filter_map(|(at, bytes)| Some((at, String::from_utf8(bytes).ok()?.into())))
                .collect(),
            Form::Number => {
                let (number, quoted) = match value.as_u64() {
                    Some(number) => (number, false),
                    None => (text().parse().unwrap(), true),
                };
                let other = |bit: u32| number ^ (1 << bit);
                let value = |number: u64| match quoted {
                    true => number.to_string().into(),
                    false => number.into(),
                };
                (0..64).map(|bit| (0, value(other(bit)))).collect()
            }
        }
    }
}

/// Some bytes with a bit flipped in each, in turn.
fn flips(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len()).map(move |at| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1 << (at * 5 % 8);
        (at, bytes)
    })
}

/// Flips a bit in each byte of each part, or in every so many of the short and of the
/// long ones. `failed` says which lines are wrong, or
/// `None` where the document is refused.
fn tamper(
    title: &str,
    document: &Value,
    parts: &[Part],
    (short, long): (usize, usize),
    failed: impl Fn(&Value) -> Option<Vec<&'static str>>,
) {
    assert_eq!(failed(document), Some(vec![]), "{title}");
    for part in parts {
        let value = document.pointer(&part.at);
        let value = value.unwrap_or_else(|| panic!("{title}: no {}", part.at));
        let flipped = part.flipped(value);
        assert!(!flipped.is_empty(), "{title}: {}", part.at);
        let step = if flipped.len() > 300 { long } else { short };
        let mut other = document.clone();
        for (byte, value) in flipped.into_iter().step_by(step) {
            *other.pointer_mut(&part.at).unwrap() = value;
            let Some(failed) = failed(&other) else {
                continue;
            };
            let free = part.free.iter().any(|free| free.contains(&byte));
            let wrong: &[&str] = if free { &[] } else { &part.wrong };
            let right = wrong.iter().all(|name| failed.contains(name))
                && failed
                    .iter()
                    .all(|name| part.wrong.contains(name) || part.may.contains(name));
            assert!(
                right,
                "{title}: byte {byte} of {}: wrong is {failed:?}",
                part.at
            );
        }
    }
}

/// The place of an element in DER: the path leads over the numbers of the elements
/// in each other.
fn place(der: &[u8], path: &[usize]) -> Range<usize> {
    let mut within = 0..der.len();
    let mut whole = within.clone();
    for number in path {
        let mut at = within.start;
        for _ in 0..=*number {
            let long = der[at + 1] & 0x80 != 0;
            let more = if long {
                usize::from(der[at + 1] & 0x7f)
            } else {
                0
            };
            let start = at + 2 + more;
            let length = match long {
                true => der[at + 2..start]
                    .iter()
                    .fold(0, |n, byte| n << 8 | usize::from(*byte)),
                false => usize::from(der[at + 1]),
            };
            whole = at..start + length;
            within = start..start + length;
            at = within.end;
        }
    }
    whole
}

/// What nobody signed in a timestamp, and why that is no harm.
fn unsigned(token: &[u8]) -> Vec<Range<usize>> {
    const SIGNED_DATA: [usize; 4] = [0, 1, 1, 0];
    const SIGNER: [usize; 6] = [0, 1, 1, 0, 4, 0];
    let below = |path: &[usize], number| place(token, &[path, &[number]].concat());
    vec![
        // Whether the authority made a token: here it is.
        place(token, &[0, 0]),
        // Which syntax follows, twice: what follows has it or is refused.
        below(&SIGNED_DATA, 0),
        below(&SIGNER, 0),
        // The hashes to prepare for: what counts is which one the signer names.
        below(&SIGNED_DATA, 1),
        // Certificates that may be of use: each has to be one of the authority.
        below(&SIGNED_DATA, 3),
        // The kind of the signature: the key has only one.
        below(&SIGNER, 4),
    ]
}

const MATERIAL: &str = "/verificationMaterial";

/// The parts of a bundle.
fn parts(bundle: &Value) -> Vec<Part> {
    use Form::{Base64, Number, Text};
    let entry = format!("{MATERIAL}/tlogEntries/0");
    let proof = format!("{entry}/inclusionProof");
    let token = format!("{MATERIAL}/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp");
    let has = |at: &str| bundle.pointer(at).is_some();
    let promised = has(&format!("{entry}/inclusionPromise"));
    let proven = has(&proof);
    let by_key = has(&format!("{MATERIAL}/publicKey"));
    // The lines that are about an entry's place in the log.
    let either = |proven_by: &'static str| -> Vec<&'static str> {
        let names = [(proven, proven_by), (promised, "promise")];
        let names = names.into_iter().filter(|(there, _)| *there);
        names.map(|(_, name)| name).collect()
    };
    let signer: &[&str] = if by_key {
        &["entry", "signature"]
    } else {
        &["entry"]
    };
    let mut parts = vec![
        part(
            format!("{entry}/canonicalizedBody"),
            Base64,
            &either("inclusion"),
        )
        .may(signer),
        part(
            format!("{entry}/logId/keyId"),
            Base64,
            &either("checkpoint"),
        ),
        part(
            format!("{entry}/logIndex"),
            Number,
            &[if promised { "promise" } else { "inclusion" }],
        ),
        Part {
            free: unsigned(&base64(bundle.pointer(&token).unwrap())),
            // Without a time nobody knows whether the certificate was valid.
            ..part(token, Base64, &["timestamp"]).may(&["validity"])
        },
    ];
    for certificate in ["certificate", "x509CertificateChain/certificates/0"] {
        let at = format!("{MATERIAL}/{certificate}/rawBytes");
        if has(&at) {
            parts.push(part(at, Base64, &["chain", "entry"]).may(&["signature"]));
        }
    }
    if has("/messageSignature") {
        let all = ["artifact", "signature", "entry"];
        parts.push(part("/messageSignature/messageDigest/digest", Base64, &all));
        parts.push(part(
            "/messageSignature/messageDigest/algorithm",
            Text,
            &all,
        ));
    } else {
        let (payload, kind) = ("/dsseEnvelope/payload", "/dsseEnvelope/payloadType");
        parts.push(part(payload, Base64, &["signature", "entry"]).may(&["artifact"]));
        // An entry of v1 is over the payload alone, and of another type it may be no
        // statement that names an artifact.
        parts.push(part(kind, Text, &["signature"]).may(&["artifact", "entry"]));
    }
    for signature in [
        "/messageSignature/signature",
        "/dsseEnvelope/signatures/0/sig",
    ] {
        if has(signature) {
            let wrong = ["signature", "entry", "timestamp"];
            parts.push(part(signature, Base64, &wrong).may(&["validity"]));
        }
    }
    if promised {
        let promise = format!("{entry}/inclusionPromise/signedEntryTimestamp");
        parts.push(part(promise, Base64, &["promise"]));
        parts.push(part(
            format!("{entry}/integratedTime"),
            Number,
            &["promise"],
        ));
    }
    if proven {
        let both = ["inclusion", "checkpoint"];
        parts.push(part(format!("{proof}/logIndex"), Number, &["inclusion"]));
        parts.push(part(format!("{proof}/treeSize"), Number, &["checkpoint"]).may(&both));
        parts.push(part(format!("{proof}/rootHash"), Base64, &both));
        parts.push(part(
            format!("{proof}/checkpoint/envelope"),
            Text,
            &["checkpoint"],
        ));
        let hashes = bundle.pointer(&format!("{proof}/hashes"));
        let count = hashes.and_then(Value::as_array).map_or(0, Vec::len);
        assert!(count > 0);
        for i in 0..count {
            parts.push(part(format!("{proof}/hashes/{i}"), Base64, &["inclusion"]));
        }
    }
    parts
}

fn bundle(name: &str, count: usize, steps: (usize, usize)) {
    let root = trusted_root();
    let sample = Sample::read(name);
    let parts = parts(&sample.bundle);
    assert_eq!(parts.len(), count, "{name}");
    tamper(name, &sample.bundle, &parts, steps, |other| {
        let proof = sample.proof(other.to_string().as_bytes(), &root)?;
        let mut failed = failed_links(&proof);
        // A timestamp of nobody who is known is as good as none.
        let stranger = |left: &Unchecked| left.detail.starts_with("it counts for nothing");
        failed.extend(proof.unchecked.iter().any(stranger).then_some("timestamp"));
        Some(failed)
    });
}

// Each byte is tried once. The certificate and the timestamp of v1 are as those of v2,
// the entry in its bundle as that in its answer, and the other bundles have the same
// parts in another order: of these every nineteenth byte.

#[test]
fn a_file_in_v1() {
    bundle("beta.v1", 16, (1, 19));
}

#[test]
fn an_image_in_v2() {
    bundle("image.v2", 13, (1, 1));
}

#[test]
fn the_other_bundles() {
    for (name, count) in [
        ("image.v1", 15),
        ("beta.v2", 14),
        ("beta-0.1.v1", 10),
        ("beta-0.2.v1", 16),
        ("alpha-key.v1", 14),
        ("alpha-key.v2", 12),
        ("alpha-attestation.v1", 16),
    ] {
        bundle(name, count, (19, 19));
    }
}

/// What a bundle holds beside its parts: names of fields, and texts that say again
/// what a part says.
#[test]
fn the_rest_of_a_bundle() {
    // What nobody signed, and why that is no harm.
    const FREE: [&str; 3] = [
        // Which fields there are: those that are read have to be there.
        "mediaType",
        // The body of the entry says it, and is signed.
        "kindVersion",
        // The statement about a field that is not read: the key in the entry counts.
        "keyid",
    ];
    let root = trusted_root();
    for name in ["beta.v1", "image.v2"] {
        let sample = Sample::read(name);
        let text = sample.bundle.to_string();
        let read: Vec<String> = parts(&sample.bundle)
            .iter()
            .map(|part| sample.bundle.pointer(&part.at).unwrap().to_string())
            .collect();
        let mut rest = vec![true; text.len()];
        for value in read.iter().filter(|value| value.len() > 8) {
            let at = text.find(value.as_str()).unwrap();
            rest[at + 1..at + value.len() - 1].fill(false);
        }
        let checks = |text: &[u8]| Some(sample.proof(text, &root)?.checks.len());
        let whole = checks(text.as_bytes());
        let without = |text: &[u8]| {
            let mut value: Value = serde_json::from_slice(text).ok()?;
            strip(&mut value, &FREE);
            Some(value)
        };
        let same = without(text.as_bytes());
        for (at, other) in flips(text.as_bytes()).filter(|(at, _)| rest[*at]) {
            let Some(proof) = sample.proof(&other, &root) else {
                continue;
            };
            // Without its timestamp a bundle of v1 proves less and says so.
            let says_less = Some(proof.checks.len()) < whole
                && proof
                    .unchecked
                    .iter()
                    .any(|link| link.link == Link::Timestamp);
            let around = String::from_utf8_lossy(&other[at.saturating_sub(30)..=at]);
            assert!(
                !proof.failed().is_empty() || says_less || without(&other) == same,
                "{name}: byte {at}: …{around}"
            );
        }
    }
}

/// Removes what is of no account: the fields that nobody signed, and, as the flip of
/// a bit may make one of these of them, fields of unknown names.
fn strip(value: &mut Value, free: &[&str]) {
    const KNOWN: &str = "verificationMaterial certificate rawBytes tlogEntries logIndex logId \
        keyId integratedTime inclusionPromise signedEntryTimestamp inclusionProof rootHash \
        treeSize hashes checkpoint envelope canonicalizedBody timestampVerificationData \
        rfc3161Timestamps signedTimestamp messageSignature messageDigest algorithm digest \
        signature dsseEnvelope payload payloadType signatures sig";
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| {
                !free.contains(&name.as_str()) && KNOWN.split(' ').any(|known| known == name)
            });
            fields.values_mut().for_each(|value| strip(value, free));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| strip(value, free)),
        _ => {}
    }
}

/// Other bits of a timestamp than those that are flipped in the bundles.
#[test]
fn a_timestamp() {
    let root = trusted_root();
    let sample = Sample::read("beta.v2");
    let token = format!("{MATERIAL}/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp");
    let token = base64(sample.bundle.pointer(&token).unwrap());
    let signature = base64(&sample.bundle["messageSignature"]["signature"]);
    let genuine = timestamp::verify(&token, &signature, &root, &KnownChains::default()).unwrap();
    let free = unsigned(&token);
    for bit in (0..token.len() * 8).step_by(7) {
        let mut other = token.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        let free = free.iter().any(|free| free.contains(&(bit / 8)));
        match timestamp::verify(&other, &signature, &root, &KnownChains::default()) {
            Ok(timestamp) => {
                assert!(free, "bit {} of byte {}", bit % 8, bit / 8);
                assert_eq!(timestamp.time, genuine.time);
            }
            Err(Unproved::Wrong(why) | Unproved::NotRead(why)) => assert!(!why.is_empty()),
        }
    }
}

/// What the CT log signed, without Fulcio's signature of the same.
#[test]
fn a_certificate_that_a_ct_log_promised_to_show() {
    let root = trusted_root();
    let sample = Sample::read("beta.v2");
    let der = base64(&sample.bundle["verificationMaterial"]["certificate"]["rawBytes"]);
    let issuer = root.certificate_authorities[0].first().unwrap();
    let issuer = issuer.tbs_certificate.subject_public_key_info;
    let issuer = Sha256::digest(x509_cert::der::Encode::to_der(&issuer).unwrap()).into();
    let verify = |der: &[u8]| {
        let leaf = Leaf::from_der(der).map_err(|error| error.to_string())?;
        sct::verify(leaf.certificate(), &issuer, &root)
    };
    verify(&der).unwrap();
    // Fulcio's signature came after that of the CT log.
    let signed = place(&der, &[0, 0]);
    for (at, other) in flips(&der).filter(|(at, _)| signed.contains(at)) {
        assert!(verify(&other).is_err(), "byte {at}");
    }
    let other = [0; 32];
    let leaf = Leaf::from_der(&der).unwrap();
    assert!(sct::verify(leaf.certificate(), &other, &root).is_err());
}

#[test]
fn an_answer_of_v1() {
    let root = trusted_root();
    let answer = json("rekor-v1/entry-5.json");
    let uuid = answer.as_object().unwrap().keys().next().unwrap();
    let entry = format!("/{uuid}");
    let proof = format!("{entry}/verification/inclusionProof");
    let promise = format!("{entry}/verification/signedEntryTimestamp");
    let both = ["inclusion", "checkpoint"];
    // Without a bundle the certificate and the signature are those of the entry.
    let of_body = ["signature", "chain", "sct", "validity"];
    let mut parts = vec![
        part(
            format!("{entry}/body"),
            Form::Base64,
            &["inclusion", "promise"],
        )
        .may(&of_body),
        part(
            format!("{entry}/integratedTime"),
            Form::Number,
            &["promise"],
        ),
        part(format!("{entry}/logIndex"), Form::Number, &["promise"]),
        part(
            format!("{entry}/logID"),
            Form::Hex,
            &["checkpoint", "promise"],
        ),
        part(promise, Form::Base64, &["promise"]),
        part(format!("{proof}/logIndex"), Form::Number, &["inclusion"]),
        part(format!("{proof}/treeSize"), Form::Number, &["checkpoint"]).may(&both),
        part(format!("{proof}/rootHash"), Form::Hex, &both),
        part(format!("{proof}/checkpoint"), Form::Text, &["checkpoint"]),
    ];
    for i in 0..3 {
        parts.push(part(
            format!("{proof}/hashes/{i}"),
            Form::Hex,
            &["inclusion"],
        ));
    }
    for part in &mut parts {
        // Nobody but the promise says when.
        part.may.push("validity");
    }
    tamper("an answer of v1", &answer, &parts, (1, 1), |other| {
        Some(failed_links(&shown(other.to_string().as_bytes(), &root)?))
    });
}

/// The recorded tiles, in one of which a bit is another.
struct Flipped(&'static str, usize);

impl Source for &Flipped {
    fn find(&self, name: &str, largest: u64) -> Result<Option<Vec<u8>>, Fail> {
        let mut tile = Files.find(name, largest)?;
        if let Some(tile) = tile.as_mut().filter(|_| name == self.0) {
            tile[self.1] ^= 1 << (self.1 % 8);
        }
        Ok(tile)
    }
}

/// Whatever a proof takes from a tile, it is of no use once that is another.
#[test]
fn tiles() {
    let checkpoint =
        |size| Checkpoint::read(&text(&format!("rekor-v2/checkpoint-{size}"))).unwrap();
    let (old, new) = (checkpoint(7), checkpoint(260));
    let size = new.size;
    let leaves = [
        bytes("rekor-v2/tile/0/000"),
        bytes("rekor-v2/tile/0/001.p/4"),
    ]
    .concat();
    for (name, index, step) in [
        // Of 256 hashes, which all come together in one, some bytes of each.
        ("tile/0/000", 5, 7),
        ("tile/0/001.p/4", 257, 1),
        ("tile/1/000.p/1", 257, 1),
    ] {
        let leaf = hash(&leaves[index as usize * 32..][..32]);
        let place = inclusion_proof(&mut TileTree::new(Files, size), index, size).unwrap();
        let growth = consistency_proof(&mut TileTree::new(Files, size), old.size, size).unwrap();
        let mut used = 0;
        for at in (0..bytes(&format!("rekor-v2/{name}")).len()).step_by(step) {
            let flipped = Flipped(name, at);
            let mut tree = TileTree::new(&flipped, size);
            let proof = inclusion_proof(&mut tree, index, size).unwrap();
            let holds = root_from_inclusion_proof(leaf, index, size, &proof) == Ok(new.root);
            assert_eq!(holds, proof == place, "{name}: byte {at}");
            used += usize::from(!holds);
            let proof = consistency_proof(&mut tree, old.size, size).unwrap();
            let verdict = verify_consistency((old.size, &old.root), (size, &new.root), &proof);
            assert_eq!(verdict.is_ok(), proof == growth, "{name}: byte {at}");
            used += usize::from(verdict.is_err());
        }
        assert!(used > 0, "{name}");
    }
}

#[test]
fn bundles_of_entries() {
    for (name, first, width) in [("000.p/7", 0, 7), ("001.p/4", 256, 4)] {
        let bundle = bytes(&format!("rekor-v2/tile/entries/{name}"));
        let leaves = bytes(&match first {
            0 => "rekor-v2/tile/0/000.p/7".to_owned(),
            _ => format!("rekor-v2/tile/0/{name}"),
        });
        let leaves: Vec<Hash> = leaves.chunks(32).map(hash).collect();
        for (at, other) in flips(&bundle) {
            let entries = (0..width).map(|n| tiles::entry(&other, n).map(leaf_hash));
            let same = entries.eq(leaves.iter().copied().map(Some));
            assert!(!same, "{name}: byte {at}");
        }
    }
}
