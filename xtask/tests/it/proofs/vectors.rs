//! Bundles of every kind that verifiers meet, each made of what our own servers said, and
//! the checks that must fail. They mean the same as the cases of the public suite, which
//! `xtask/tests/conformance` runs.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use xtask::format::certificate::Leaf;
use xtask::proof::chain::{self, Purpose};
use xtask::proof::{Link, Proof};
use xtask::tlog::merkle::inclusion_proof;
use xtask::tlog::tiles::TileTree;
use xtask::trust::root::TrustedRoot;

use super::{Files, Sample, base64, failed_links};
use crate::support::recorded::{bundle, file, json, text};
use crate::support::repo::tests;
use crate::support::run::xtask;

const MATERIAL: &str = "/verificationMaterial";
const ENTRIES: &str = "/verificationMaterial/tlogEntries";
const ENTRY: &str = "/verificationMaterial/tlogEntries/0";
const STAMPS: &str = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps";

/// A bundle and a trusted root, both recorded and then changed.
struct Vector {
    sample: Sample,
    bundle: Value,
    root: Value,
}

impl Vector {
    fn of(name: &str) -> Vector {
        let sample = Sample::read(name);
        Vector {
            bundle: sample.bundle.clone(),
            sample,
            root: json("trusted_root.json"),
        }
    }

    /// Puts another value where one is.
    fn with(mut self, at: &str, value: Value) -> Vector {
        *self
            .bundle
            .pointer_mut(at)
            .unwrap_or_else(|| panic!("no {at}")) = value;
        self
    }

    fn without(mut self, parent: &str, name: &str) -> Vector {
        let parent = self.bundle.pointer_mut(parent).unwrap();
        parent.as_object_mut().unwrap().remove(name).unwrap();
        self
    }

    fn and(mut self, list: &str, item: Value) -> Vector {
        let list = self.bundle.pointer_mut(list).unwrap();
        list.as_array_mut().unwrap().push(item);
        self
    }

    fn in_root(mut self, at: &str, value: Value) -> Vector {
        *self.root.pointer_mut(at).unwrap() = value;
        self
    }

    fn called(self, media_type: &str) -> Vector {
        self.with("/mediaType", media_type.into())
    }

    /// The bit of a value in base64 that comes last is another.
    fn damaged(self, at: &str) -> Vector {
        let mut bytes = base64(self.bundle.pointer(at).unwrap());
        *bytes.last_mut().unwrap() ^= 1;
        self.with(at, BASE64_STANDARD.encode(bytes).into())
    }

    /// A part of another bundle.
    fn from(self, at: &str, other: &str) -> Vector {
        let part = Sample::read(other).bundle.pointer(at).unwrap().clone();
        self.with(at, part)
    }

    fn proof(&self) -> Option<Proof> {
        let root = TrustedRoot::read(self.root.to_string().as_bytes()).unwrap();
        self.sample.proof(self.bundle.to_string().as_bytes(), &root)
    }

    /// Fails where other checks do not hold than these.
    #[track_caller]
    fn fails(&self, checks: &[&str]) {
        let proof = self.proof().expect("it is read");
        assert_eq!(failed_links(&proof), checks, "{:?}", proof.checks);
    }

    #[track_caller]
    fn holds(&self) {
        self.fails(&[]);
    }

    /// Why a check was not made.
    fn left_out(&self, link: Link) -> String {
        let proof = self.proof().unwrap();
        let mut unchecked = proof.unchecked.into_iter();
        let of_link = unchecked.find(|unchecked| unchecked.link == link);
        of_link.expect("it is left out").detail
    }

    fn told(&self, link: Link) -> String {
        let proof = self.proof().unwrap();
        let mut checks = proof.checks.into_iter();
        checks.find(|check| check.link == link).unwrap().detail
    }

    #[track_caller]
    fn is_refused(&self) {
        assert!(self.proof().is_none());
    }
}

/// The entry of `beta.v2` with the proof that it is in the log of 260 entries.
fn entry_in_larger_log() -> Value {
    let mut entry = Sample::read("beta.v2")
        .bundle
        .pointer(ENTRY)
        .unwrap()
        .clone();
    let hashes = inclusion_proof(&mut TileTree::new(Files, 260), 5, 260).unwrap();
    let hashes: Vec<String> = hashes
        .iter()
        .map(|hash| BASE64_STANDARD.encode(hash))
        .collect();
    let checkpoint = text("rekor-v2/checkpoint-260");
    entry["inclusionProof"] = json!({
        "logIndex": "5",
        "treeSize": "260",
        "rootHash": checkpoint.lines().nth(2).unwrap(),
        "hashes": hashes,
        "checkpoint": {"envelope": checkpoint},
    });
    entry
}

#[test]
fn every_entry_of_several_must_hold() {
    let two = || Vector::of("beta.v2").and(ENTRIES, entry_in_larger_log());
    two().holds();
    let told = two().told(Link::Entry);
    assert!(told.ends_with("; 1 more entry holds the same"), "{told}");
    let second = "/verificationMaterial/tlogEntries/1";
    two()
        .damaged(&format!("{second}/inclusionProof/hashes/0"))
        .fails(&["inclusion"]);
    let envelope = text("rekor-v2/checkpoint-7").into();
    two()
        .with(
            &format!("{second}/inclusionProof/checkpoint/envelope"),
            envelope,
        )
        .fails(&["checkpoint"]);
    let without_proof = two().without(second, "inclusionProof");
    without_proof.fails(&["inclusion"]);
    let told = without_proof.told(Link::Inclusion);
    assert_eq!(
        told,
        "entry 2 of the bundle: the entry comes without a proof"
    );
    let alpha = Sample::read("alpha.v2")
        .bundle
        .pointer(ENTRY)
        .unwrap()
        .clone();
    two().with(second, alpha).fails(&["entry"]);
    // In v1 the log also promised each.
    let entry = Sample::read("beta.v1")
        .bundle
        .pointer(ENTRY)
        .unwrap()
        .clone();
    let mut later = entry.clone();
    later["integratedTime"] = "1".into();
    Vector::of("beta.v1").and(ENTRIES, entry).holds();
    Vector::of("beta.v1")
        .and(ENTRIES, later)
        .fails(&["promise"]);
}

#[test]
fn no_bundle_holds_more_than_32_entries_or_timestamps() {
    for list in [ENTRIES, STAMPS] {
        let one = Sample::read("beta.v2").bundle.pointer(list).unwrap()[0].clone();
        let many = |n: usize| Vector::of("beta.v2").with(list, vec![one.clone(); n].into());
        many(32).holds();
        many(33).is_refused();
    }
}

#[test]
fn every_timestamp_of_a_known_authority_must_hold() {
    let stamp = |name: &str| Sample::read(name).bundle.pointer(STAMPS).unwrap()[0].clone();
    let stranger = json("keys/rsa-2048.sigstore.json").pointer(STAMPS).unwrap()[0].clone();
    for name in ["beta.v1", "beta.v2"] {
        Vector::of(name).and(STAMPS, stamp(name)).holds();
        // It is of another signature.
        let other = name.replace("beta", "alpha");
        Vector::of(name)
            .and(STAMPS, stamp(&other))
            .fails(&["timestamp"]);
        let beside = Vector::of(name).and(STAMPS, stranger.clone());
        beside.holds();
        let told = beside.told(Link::Timestamp);
        let says = "; 1 other counts for nothing: the trusted root does not ";
        assert!(told.contains(says), "{told}");
    }
    let alone = |name: &str| Vector::of(name).with(STAMPS, json!([stranger]));
    alone("beta.v2").fails(&["timestamp", "validity"]);
    // In v1 the log names a time as well.
    alone("beta.v1").holds();
    let told = alone("beta.v1").left_out(Link::Timestamp);
    assert!(told.starts_with("it counts for nothing: "), "{told}");
}

#[test]
fn where_the_trusted_root_names_no_log_none_has_to_hold_the_entry() {
    let without = || Vector::of("beta.v2").with(ENTRIES, json!([]));
    let private = without().in_root("/tlogs", json!([]));
    private.holds();
    let told = private.left_out(Link::Entry);
    assert_eq!(told, "the trusted root names no log");
    without().fails(&["entry"]);
    // Without a time nobody knows when it was signed.
    private.with(STAMPS, json!([])).fails(&["validity"]);
    // A log that is named by the bundle alone is nobody's.
    let named = Vector::of("beta.v2").in_root("/tlogs", json!([]));
    named.fails(&["checkpoint"]);
}

const V0_1: &str = "application/vnd.dev.sigstore.bundle+json;version=0.1";
const V0_2: &str = "application/vnd.dev.sigstore.bundle+json;version=0.2";

#[test]
fn in_v0_1_the_promise_stands_in_for_a_checkpoint() {
    let proof = format!("{ENTRY}/inclusionProof");
    let old = |kind: &str| {
        Vector::of("beta-0.2.v1")
            .called(kind)
            .without(&proof, "checkpoint")
    };
    old(V0_1).holds();
    let told = old(V0_1).left_out(Link::Checkpoint);
    assert!(told.ends_with("the promise of the log counts"), "{told}");
    old(V0_2).fails(&["checkpoint"]);
    old(V0_1)
        .damaged(&format!("{proof}/hashes/0"))
        .fails(&["inclusion"]);
    let promise = format!("{ENTRY}/inclusionPromise/signedEntryTimestamp");
    old(V0_1).damaged(&promise).fails(&["promise"]);
    old(V0_1)
        .without(ENTRY, "inclusionPromise")
        .fails(&["checkpoint", "promise"]);
    // A name of old does not let one of v0.3 off.
    let renamed = Vector::of("beta.v1").called(V0_1);
    renamed.holds();
    renamed
        .without(ENTRY, "inclusionProof")
        .fails(&["inclusion"]);
}

#[test]
fn a_field_that_is_null_is_absent() {
    let stamps = "/verificationMaterial/timestampVerificationData";
    let null = Vector::of("beta.v1").with(stamps, Value::Null);
    null.holds();
    assert_eq!(null.left_out(Link::Timestamp), "the bundle holds none");
    Vector::of("beta.v2")
        .with(stamps, Value::Null)
        .fails(&["validity"]);
    let proof = format!("{ENTRY}/inclusionProof");
    Vector::of("beta.v1")
        .with(&proof, Value::Null)
        .fails(&["inclusion"]);
    let mut all = Vector::of("beta.v1");
    all.bundle["dsseEnvelope"] = Value::Null;
    all.bundle["verificationMaterial"]["publicKey"] = Value::Null;
    all.holds();
}

#[test]
fn base64_of_either_alphabet_and_without_padding() {
    let signature = "/messageSignature/signature";
    for name in ["beta.v1", "beta.v2", "alpha.v1", "alpha.v2"] {
        let plain = Vector::of(name).bundle.pointer(signature).unwrap().clone();
        let plain = plain.as_str().unwrap();
        let of_urls = plain.replace('+', "-").replace('/', "_");
        for other in [
            of_urls.trim_end_matches('='),
            &of_urls,
            plain.trim_end_matches('='),
        ] {
            Vector::of(name).with(signature, other.into()).holds();
        }
        Vector::of(name)
            .with(signature, format!("!{plain}").into())
            .is_refused();
    }
}

#[test]
fn media_types_that_are_known_and_no_others() {
    let base = "application/vnd.dev.sigstore.bundle";
    for known in ["+json;version=0.2", "+json;version=0.3", ".v0.3+json"] {
        Vector::of("beta.v1")
            .called(&format!("{base}{known}"))
            .holds();
    }
    for unknown in [
        "",
        "+json",
        "+json;version=0.4",
        "+json;version=99.9",
        ".v0.4+json",
        ".v0.3+json;version=0.1",
    ] {
        Vector::of("beta.v1")
            .called(&format!("{base}{unknown}"))
            .is_refused();
    }
}

#[test]
fn the_kind_that_is_named_is_that_of_the_entry() {
    for name in ["beta.v1", "beta.v2", "image.v1"] {
        let kind = format!("{ENTRY}/kindVersion");
        Vector::of(name).without(ENTRY, "kindVersion").holds();
        for part in ["kind", "version"] {
            Vector::of(name)
                .with(&format!("{kind}/{part}"), "0.0.3".into())
                .is_refused();
        }
    }
}

#[test]
fn no_bundle_brings_its_own_root() {
    let chain = |name: &str, more: &[&Value]| {
        let mut vector = Vector::of(name);
        let material = vector.bundle.pointer_mut(MATERIAL).unwrap();
        let leaf = material["certificate"].take();
        let leaf = match leaf {
            Value::Null => material["x509CertificateChain"]["certificates"][0].clone(),
            leaf => leaf,
        };
        let all: Vec<&Value> = [&leaf].into_iter().chain(more.iter().copied()).collect();
        material["x509CertificateChain"] = json!({"certificates": all});
        vector
    };
    let root = json("trusted_root.json");
    let authority = &root["certificateAuthorities"][0]["certChain"]["certificates"][0];
    for name in ["beta.v1", "beta.v2", "beta-0.1.v1", "beta-0.2.v1"] {
        chain(name, &[]).holds();
        chain(name, &[authority]).is_refused();
        let nothing = json!({"certificates": []});
        chain(name, &[])
            .with("/verificationMaterial/x509CertificateChain", nothing)
            .is_refused();
    }
}

/// The other cases of the public suite that are a change of a good bundle.
#[test]
fn what_is_wrong_in_the_other_cases() {
    let hashes = format!("{ENTRY}/inclusionProof/hashes/0");
    let envelope = format!("{ENTRY}/inclusionProof/checkpoint/envelope");
    let promise = format!("{ENTRY}/inclusionPromise/signedEntryTimestamp");
    for name in ["beta.v1", "image.v1", "beta.v2", "image.v2"] {
        let alpha = name
            .replace("beta", "alpha")
            .replace("image.", "image-attestation.");
        Vector::of(name).damaged(&hashes).fails(&["inclusion"]);
        Vector::of(name)
            .from(&format!("{ENTRY}/inclusionProof"), &alpha)
            .fails(&["inclusion"]);
        Vector::of(name)
            .without(ENTRY, "inclusionProof")
            .fails(&["inclusion"]);
        Vector::of(name)
            .from(&envelope, &alpha)
            .fails(&["checkpoint"]);
        let note = Vector::of(name).bundle.pointer(&envelope).unwrap().clone();
        let note = note.as_str().unwrap();
        for line in 0..3 {
            let kept = note.lines().enumerate().filter(|(i, _)| *i != line);
            let kept: String = kept.map(|(_, line)| format!("{line}\n")).collect();
            Vector::of(name)
                .with(&envelope, kept.into())
                .fails(&["checkpoint"]);
        }
        let (signed, _) = note.split_once("\n\n").unwrap();
        let unsigned = format!("{signed}\n\n");
        Vector::of(name)
            .with(&envelope, unsigned.into())
            .fails(&["checkpoint"]);
        Vector::of(name)
            .with(&format!("{ENTRY}/logIndex"), "-1".into())
            .is_refused();
        Vector::of(name)
            .in_root(
                "/ctlogs/0/publicKey/rawBytes",
                json("trusted_root.json")["tlogs"][0]["publicKey"]["rawBytes"].clone(),
            )
            .fails(&["sct"]);
        let log = usize::from(name.ends_with("v2"));
        let start = format!("/tlogs/{log}/publicKey/validFor");
        let never = Vector::of(name).in_root(&start, json!({}));
        never.fails(if log == 0 {
            &["promise"]
        } else {
            &["checkpoint"]
        });
    }
    Vector::of("beta.v1").damaged(&promise).fails(&["promise"]);
    Vector::of("beta.v2")
        .with(STAMPS, json!([]))
        .fails(&["validity"]);
    for name in ["image.v1", "image.v2"] {
        let attested = name.replace("image.", "image-attestation.");
        let envelope = ["artifact", "signature", "entry"];
        Vector::of(name)
            .damaged("/dsseEnvelope/signatures/0/sig")
            .fails(if name.ends_with("v1") {
                &["signature", "entry", "timestamp"]
            } else {
                &["signature", "entry", "timestamp", "validity"]
            });
        Vector::of(name)
            .from("/dsseEnvelope/payload", &attested)
            .fails(&envelope[1..]);
    }
    // Ours promise the place in the log, in an extension of the SCT.
    let proof = Vector::of("beta.v2").proof().unwrap();
    assert!(proof.promises.iter().all(|promise| promise.index.is_some()));
}

/// A root, and below it intermediates that name no purpose, the right one, and another;
/// below each a leaf that names one, and below the first also a leaf that names none.
const CHAINS: &str = r#"
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
key root
openssl req -x509 -new -key root.key -subj /CN=root -days 99 -out root.pem \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
below() { # NAME ISSUER EXTENSIONS
  key "$1"
  printf "$3" >"$1.cnf"
  openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 98 \
      -extfile "$1.cnf" -out "$1.pem"
}
ca='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n'
below none root "$ca"
below same root "${ca}extendedKeyUsage=codeSigning\n"
below other root "${ca}extendedKeyUsage=timeStamping\n"
for name in none same other; do
  below "leaf-$name" "$name" 'keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n'
done
below leaf-bare none 'keyUsage=critical,digitalSignature\n'
for name in *.pem; do openssl x509 -in "$name" -outform DER -out "${name%.pem}.der"; done
"#;

/// An intermediate that names no purpose is for any (RFC 5280, section 4.2.1.12).
#[test]
fn only_the_leaf_has_to_name_a_purpose() {
    let temp = tempfile::tempdir().unwrap();
    let made = Command::new("sh")
        .args(["-euc", CHAINS])
        .current_dir(temp.path())
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let der = |name: &str| std::fs::read(Path::join(temp.path(), format!("{name}.der"))).unwrap();
    let verdict = |leaf: &str, intermediate: &str| {
        let chain = [intermediate, "root"]
            .map(|name| json!({"rawBytes": BASE64_STANDARD.encode(der(name))}));
        let root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "certificateAuthorities": [{"certChain": {"certificates": chain}}],
        });
        let root = TrustedRoot::read(root.to_string().as_bytes()).unwrap();
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let authorities = &root.certificate_authorities;
        chain::verify(
            &der(leaf),
            authorities,
            Purpose::CodeSigning,
            now.as_secs() + 60,
        )
        .is_ok()
    };
    assert!(verdict("leaf-same", "same"));
    assert!(verdict("leaf-none", "none"));
    assert!(!verdict("leaf-other", "other"));
    assert!(!verdict("leaf-bare", "none"));
}

/// A directory as the public suite is one, of recorded bundles: the script names the case
/// that is not as its name says.
#[test]
fn the_script_runs_a_directory_of_cases() {
    let temp = tempfile::tempdir().unwrap();
    let case = |name: &str, bundle: &Path, artifact: &str, key: bool| {
        let dir = temp.path().join("bundle-verify").join(name);
        std::fs::create_dir_all(&dir).unwrap();
        let copy = |from: &Path, to: &str| std::fs::copy(from, dir.join(to)).unwrap();
        copy(bundle, "bundle.sigstore.json");
        copy(&file(&format!("blobs/{artifact}.txt")), "artifact");
        copy(&file("trusted_root.json"), "trusted_root.json");
        if key {
            copy(&file("key.pub"), "key.pub");
        }
        let der = base64(
            &json("bundles/alpha.v2.sigstore.json")["verificationMaterial"]["certificate"]["rawBytes"],
        );
        let issuer = Leaf::from_der(&der).unwrap().issuer_claim().unwrap();
        std::fs::write(dir.join("identity"), "alice@example.com").unwrap();
        std::fs::write(dir.join("issuer"), issuer).unwrap();
    };
    let run = || {
        let ran = Command::new(tests().join("conformance"))
            .arg(temp.path())
            .env("XTASK", xtask())
            .output()
            .unwrap();
        let said = String::from_utf8(ran.stdout).unwrap();
        (ran.status.code(), said)
    };
    assert_eq!(run(), (Some(1), "0 of 0 agree\n".into()));
    case("good", &bundle("alpha.v2"), "alpha", false);
    case("key", &bundle("alpha-key.v1"), "alpha", true);
    case("other-artifact_fail", &bundle("alpha.v1"), "beta", false);
    case("other-key_fail", &bundle("alpha.v1"), "alpha", true);
    assert_eq!(run(), (Some(0), "4 of 4 agree\n".into()));
    case("also-good_fail", &bundle("beta.v2"), "beta", false);
    case("bob", &bundle("alpha-bob.v2"), "alpha", false);
    let (exit, said) = run();
    assert_eq!(exit, Some(1), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines[0].starts_with("also-good_fail: accepted, and must be refused: "),
        "{said}"
    );
    let bob = "bob: refused, and must be accepted: error: not proved: identity";
    assert_eq!(lines[1..], [bob, "4 of 6 agree"], "{said}");
}
