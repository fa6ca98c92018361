//! Bundles in the files of others: several in one, and signatures in another form, each made
//! of what our own servers said.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha512};
use xtask::bundle::{self, Bundle};
use xtask::fail::Fail;
use xtask::format::certificate::Leaf;
use xtask::format::hex::hex;
use xtask::proof::policy::Policy;
use xtask::proof::{Evidence, KnownChains, prove};

use super::{Sample, base64, failed_links, trusted_root};
use crate::support::recorded::{bytes, json, text};

/// The checks that fail of each bundle in a file, all of which are said to be of one thing.
fn failed(name: &str, file: &[u8]) -> Result<Vec<Vec<&'static str>>, Fail> {
    let subject = Sample::read(name).subject;
    let one = |bundle: Bundle| {
        let evidence = Evidence {
            subject: Some(subject.clone()),
            bundle: Some(bundle),
            from_log: None,
        };
        let known = KnownChains::default();
        failed_links(&prove(
            &evidence,
            &trusted_root(),
            &known,
            &Policy::default(),
        ))
    };
    Ok(bundle::read_all(file)?.into_iter().map(one).collect())
}

fn of_json(name: &str, value: &Value) -> Vec<Vec<&'static str>> {
    failed(name, value.to_string().as_bytes()).unwrap()
}

fn refused(file: &str) -> Fail {
    bundle::read_all(file.as_bytes())
        .err()
        .expect("it is refused")
}

fn recorded(name: &str) -> Value {
    json(&format!("bundles/{name}.sigstore.json"))
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}

#[test]
fn a_bundle_a_line() {
    let line = |name: &str| recorded(name).to_string();
    let (alpha, beta) = (line("alpha.v1"), line("beta.v2"));
    let only_beta = ["artifact"];
    for lines in [
        format!("{alpha}\n{beta}\n"),
        format!("\n{alpha}\r\n\n{beta}"),
    ] {
        let all = failed("alpha.v1", lines.as_bytes()).unwrap();
        assert_eq!(all, [&[][..], &only_beta], "{lines}");
    }
    let torn = format!("{alpha}\n{}", &beta[..99]);
    assert!(
        refused(&torn)
            .what
            .starts_with("line 2: that is not a bundle: ")
    );
    let other = format!("{alpha}\n\n{{}}\n");
    assert!(
        refused(&other)
            .what
            .starts_with("line 3: that is no Sigstore bundle")
    );
    for nothing in ["", "\n\n", "{", "{\n}\n{", "<html>\n<body>"] {
        let what = refused(nothing).what;
        assert!(what.starts_with("that is not a bundle: "), "{what}");
    }
}

#[test]
fn the_attestations_of_a_package_of_npm() {
    let all = |names: &[&str]| {
        let one = |name: &&str| json!({"predicateType": "any", "bundle": recorded(name)});
        json!({"attestations": names.iter().map(one).collect::<Vec<_>>()})
    };
    let two = all(&["alpha-attestation.v1", "alpha-attestation.v2"]);
    assert_eq!(of_json("alpha.v1", &two), [[""; 0]; 2]);
    assert_eq!(of_json("beta.v1", &two), [["artifact"]; 2]);
    assert_eq!(refused(&all(&[]).to_string()).what, "that holds no bundle");
    // npm names the SHA-512 of the package.
    let mut of_package = all(&["alpha-attestation.v2"]);
    let payload = of_package
        .pointer_mut("/attestations/0/bundle/dsseEnvelope/payload")
        .unwrap();
    let mut statement: Value = serde_json::from_slice(&base64(payload)).unwrap();
    let digest = hex(&Sha512::digest(bytes("blobs/alpha.txt")));
    statement["subject"] = json!([{"name": "pkg:npm/alpha@1", "digest": {"sha512": digest}}]);
    *payload = encoded(statement.to_string()).into();
    assert_eq!(of_json("alpha.v1", &of_package), [["signature", "entry"]]);
    let other = ["artifact", "signature", "entry"];
    assert_eq!(of_json("beta.v1", &of_package), [other]);
}

/// What PyPI has of a file, made of a bundle.
fn pep_740(name: &str) -> Value {
    let bundle = recorded(name);
    let material = &bundle["verificationMaterial"];
    json!({
        "version": 1,
        "verification_material": {
            "certificate": material["certificate"]["rawBytes"],
            "transparency_entries": material["tlogEntries"],
        },
        "envelope": {
            "statement": bundle["dsseEnvelope"]["payload"],
            "signature": bundle["dsseEnvelope"]["signatures"][0]["sig"],
        },
    })
}

#[test]
fn an_attestation_as_of_pep_740() {
    let one = pep_740("alpha-attestation.v1");
    assert_eq!(of_json("alpha.v1", &one), [[""; 0]]);
    let publisher = json!({"publisher": {"kind": "GitHub"}, "attestations": [one, one]});
    let provenance = json!({"version": 1, "attestation_bundles": [publisher]});
    assert_eq!(of_json("alpha.v1", &provenance), [[""; 0]; 2]);
    assert_eq!(of_json("beta.v1", &one), [["artifact"]]);
    // It holds no timestamp, and Rekor v2 names no time.
    let of_v2 = pep_740("alpha-attestation.v2");
    assert_eq!(of_json("alpha.v2", &of_v2), [["validity"]]);
    let mut other = one.clone();
    other["envelope"]["statement"] =
        pep_740("image-attestation.v1")["envelope"]["statement"].clone();
    let wrong = ["artifact", "signature", "entry"];
    assert_eq!(of_json("alpha.v1", &other), [wrong]);
    let mut without = one.clone();
    without["envelope"]
        .as_object_mut()
        .unwrap()
        .remove("signature");
    let said = refused(&without.to_string()).what;
    assert!(said.starts_with("an attestation as of PEP 740: "), "{said}");
}

/// The entry of a bundle as cosign keeps it outside of one.
fn rekor_bundle(name: &str) -> Value {
    let bundle = recorded(name);
    let entry = &bundle["verificationMaterial"]["tlogEntries"][0];
    let number = |field: &str| entry[field].as_str().unwrap_or("0").parse::<u64>().unwrap();
    json!({
        "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        "Payload": {
            "body": entry["canonicalizedBody"],
            "integratedTime": number("integratedTime"),
            "logIndex": number("logIndex"),
            "logID": hex(&base64(&entry["logId"]["keyId"])),
        },
    })
}

fn pem(name: &str) -> String {
    let raw = &recorded(name)["verificationMaterial"]["certificate"]["rawBytes"];
    Leaf::from_der(&base64(raw)).unwrap().pem().unwrap()
}

#[test]
fn a_bundle_of_cosign_2() {
    let old = |name: &str| {
        json!({
            "base64Signature": recorded(name)["messageSignature"]["signature"],
            "cert": encoded(pem(name)),
            "rekorBundle": rekor_bundle(name),
        })
    };
    for name in ["alpha.v1", "beta.v1"] {
        assert_eq!(of_json(name, &old(name)), [[""; 0]], "{name}");
    }
    assert_eq!(of_json("beta.v1", &old("alpha.v1")), [["artifact"]]);
    let with = |part: &str, of: &str| {
        let mut other = old("alpha.v1");
        other[part] = old(of)[part].clone();
        of_json("alpha.v1", &other).concat()
    };
    assert_eq!(with("base64Signature", "beta.v1"), ["signature", "entry"]);
    let of_beta = with("rekorBundle", "beta.v1");
    assert!(
        of_beta.starts_with(&["artifact", "signature", "entry"]),
        "{of_beta:?}"
    );
    assert!(with("cert", "beta.v1").starts_with(&["signature", "entry"]));
    let mut later = old("alpha.v1");
    later["rekorBundle"]["Payload"]["integratedTime"] = 1.into();
    assert_eq!(of_json("alpha.v1", &later), [["promise", "validity"]]);
    // A key has no certificate.
    let by_key = json!({
        "base64Signature": recorded("alpha-key.v1")["messageSignature"]["signature"],
        "cert": encoded(text("key.pub")),
        "rekorBundle": rekor_bundle("alpha-key.v1"),
    });
    assert_eq!(of_json("alpha.v1", &by_key), [[""; 0]]);
    let mut without = old("alpha.v1");
    without["rekorBundle"] = Value::Null;
    let fail = refused(&without.to_string());
    assert_eq!(
        fail.what,
        "that is a bundle of cosign 2, and it holds no log entry"
    );
    assert!(
        fail.hints[0].contains("cosign bundle create --bundle FILE "),
        "{:?}",
        fail.hints
    );
}

#[test]
fn an_envelope_alone_is_named() {
    let fail = refused(&recorded("alpha-attestation.v1")["dsseEnvelope"].to_string());
    assert!(
        fail.what.starts_with("that is an envelope (DSSE) alone"),
        "{}",
        fail.what
    );
    assert!(
        fail.hints[0].contains("cosign bundle create --attestation FILE "),
        "{:?}",
        fail.hints
    );
}
