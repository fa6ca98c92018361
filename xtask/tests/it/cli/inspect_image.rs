//! `inspect-rekor IMAGE`: the signatures that a registry has of an image.

use std::collections::HashMap;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Mutex;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use xtask::bundle::sha256;
use xtask::format::certificate::Leaf;
use xtask::format::hex::hex;

use crate::proofs::timestamps;
use crate::support::proved::checks;
use crate::support::recorded::{self, image_digest, registry, trusting};
use crate::support::web::{Web, answer};
use crate::support::world::World;

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
    assert_eq!(run.exit, 2, "{}", run.seen());

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

/// A registry that has these manifests and blobs, and the image.
fn holding(
    tags: Vec<(String, Value)>,
    blobs: Vec<Vec<u8>>,
    elsewhere: bool,
) -> impl Fn(&str, &mut TcpStream) + Send + 'static {
    let mut held: HashMap<String, Vec<u8>> = HashMap::new();
    held.insert(image_digest(), recorded::bytes("registry/image.json"));
    for blob in blobs {
        held.insert(sha256(&blob), blob);
    }
    for (tag, manifest) in tags {
        held.insert(tag, manifest.to_string().into_bytes());
    }
    move |path, stream| {
        let (kind, name) = path.rsplit_once('/').unwrap();
        let Some(content) = held.get(name).filter(|_| !kind.ends_with("/referrers")) else {
            return answer(stream, 404, b"{}");
        };
        if elsewhere && kind.ends_with("/blobs") {
            let head = format!(
                "HTTP/1.1 307 Elsewhere\r\nLocation: /elsewhere/{name}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            return drop(stream.write_all(head.as_bytes()));
        }
        answer(stream, 200, content);
    }
}

/// An index that a registry made itself may not say what refers to an image, or say that its
/// configuration is empty: then the manifest says it.
#[test]
fn referrers_whose_type_the_index_does_not_say() {
    let world = trusting(World::on_free_ports().installed("both"));
    let at = world.base + 12;
    let image = format!("127.0.0.1:{at}/sample@{}", image_digest());
    let tag = image_digest().replace(':', "-");
    let empty = json!("application/vnd.oci.empty.v1+json");
    let other = json!({"layers": [{"mediaType": "text/plain", "digest": sha256(b"x")}]});
    for (artifact_type, found) in [(Value::Null, 4), (empty, 4), (json!("text/spdx+json"), 0)] {
        let mut index = recorded::json("registry/referrers.json");
        let mut blobs = vec![other.to_string().into_bytes()];
        for described in index["manifests"].as_array_mut().unwrap() {
            described["artifactType"] = artifact_type.clone();
        }
        index["manifests"]
            .as_array_mut()
            .unwrap()
            .push(json!({"digest": sha256(&blobs[0])}));
        for name in [
            "image.v1",
            "image.v2",
            "image-attestation.v1",
            "image-attestation.v2",
        ] {
            // One that lacks the type itself has it in its layer.
            blobs.push(recorded::bytes(&format!("registry/referrer-{name}.json")));
            blobs.push(recorded::bytes(&format!("bundles/{name}.sigstore.json")));
        }
        let _registry = Web::on(at, holding(vec![(tag.clone(), index)], blobs, found == 4));
        let run = world.run(&format!("--json inspect-certificate {image}"));
        match found {
            0 => assert_eq!(run.exit, 1, "{}", run.seen()),
            n => assert_eq!(run.ok().events().len(), n, "{artifact_type}"),
        }
    }
}

/// What cosign attached before there were bundles: an envelope below the tag that ends in
/// `.att`.
#[test]
fn attestations_below_their_tag() {
    let world = trusting(World::on_free_ports().installed("both"));
    let at = world.base + 12;
    let image = format!("127.0.0.1:{at}/sample@{}", image_digest());
    let bundle = recorded::json("bundles/image-attestation.v1.sigstore.json");
    let material = &bundle["verificationMaterial"];
    let entry = &material["tlogEntries"][0];
    let bytes = |value: &Value| BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap();
    let number = |field: &str| entry[field].as_str().unwrap().parse::<u64>().unwrap();
    let rekor = json!({
        "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        "Payload": {
            "body": entry["canonicalizedBody"],
            "integratedTime": number("integratedTime"),
            "logIndex": number("logIndex"),
            "logID": hex(&bytes(&entry["logId"]["keyId"])),
        },
    });
    let leaf = Leaf::from_der(&bytes(&material["certificate"]["rawBytes"])).unwrap();
    let envelope = bundle["dsseEnvelope"].to_string().into_bytes();
    let manifest = |annotations: Value, envelope: &[u8]| {
        json!({"layers": [{
            "mediaType": "application/vnd.dsse.envelope.v1+json",
            "digest": sha256(envelope),
            "annotations": annotations,
        }]})
    };
    let annotations = json!({
        "dev.cosignproject.cosign/signature": "",
        "dev.sigstore.cosign/certificate": leaf.pem().unwrap(),
        "dev.sigstore.cosign/bundle": rekor.to_string(),
    });
    let tag = format!("{}.att", image_digest().replace(':', "-"));
    let with = |annotations: &Value, envelope: &[u8]| {
        let tags = vec![(tag.clone(), manifest(annotations.clone(), envelope))];
        let _registry = Web::on(at, holding(tags, vec![envelope.to_vec()], true));
        world.run(&format!("--json inspect-rekor {image}"))
    };
    let documents = with(&annotations, &envelope).ok().events();
    let (good, bad) = checks(&documents[0]);
    assert_eq!(bad, [""; 0]);
    for name in [
        "artifact",
        "signature",
        "entry",
        "promise",
        "chain",
        "validity",
    ] {
        assert!(good.iter().any(|good| good == name), "{name}: {good:?}");
    }
    assert_eq!(
        documents[0]["predicate_type"],
        "https://example.com/tested/v1"
    );
    // Of another image, and with a wrong signature.
    let mut other = bundle["dsseEnvelope"].clone();
    let alpha = recorded::json("bundles/alpha-attestation.v1.sigstore.json");
    other["payload"] = alpha["dsseEnvelope"]["payload"].clone();
    let run = with(&annotations, other.to_string().as_bytes());
    assert_eq!(
        checks(&run.events()[0]).1,
        ["artifact", "signature", "entry"]
    );
    // cosign 3 has the signature stamped, and cosign 2 had the envelope.
    let stamped = |stamp: Value| {
        let mut annotations = annotations.clone();
        let stamp = json!({"SignedRFC3161Timestamp": stamp}).to_string();
        annotations["dev.sigstore.cosign/rfc3161timestamp"] = stamp.into();
        let run = with(&annotations, &envelope);
        checks(&run.events()[0])
    };
    let stamps = &material["timestampVerificationData"]["rfc3161Timestamps"];
    let (good, bad) = stamped(stamps[0]["signedTimestamp"].clone());
    assert!(
        bad.is_empty() && good.contains(&"timestamp".into()),
        "{bad:?}"
    );
    let beta = recorded::json("bundles/beta.v1.sigstore.json");
    let stamps = &beta["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"];
    assert_eq!(
        stamped(stamps[0]["signedTimestamp"].clone()).1,
        ["timestamp"]
    );
    let temp = tempfile::tempdir().unwrap();
    timestamps::made(temp.path(), std::str::from_utf8(&envelope).unwrap());
    let made = |name: &str| BASE64_STANDARD.encode(std::fs::read(temp.path().join(name)).unwrap());
    let chain = ["new.der", "root.der"].map(|name| json!({"rawBytes": made(name)}));
    let mut root = recorded::json("trusted_root.json");
    root["timestampAuthorities"] = json!([{
        "certChain": {"certificates": chain},
        "validFor": {"start": "2020-01-01T00:00:00Z"},
    }]);
    world.write_state("local/trust/trusted_root.json", &root.to_string());
    let (good, bad) = stamped(made("new.tsr").into());
    // It was stamped only now, when the certificate had ended.
    assert_eq!(bad, ["validity"]);
    assert!(good.contains(&"timestamp".into()), "{good:?}");
    let run = with(&json!({}), b"{}");
    assert_eq!(run.exit, 2, "{}", run.seen());
    assert!(
        run.out.contains("a signature below the image's .att tag: "),
        "{}",
        run.out
    );
}

#[test]
fn a_scheme_before_an_image() {
    let world = trusting(World::new().installed("v2"));
    for command in ["inspect-rekor", "inspect-certificate", "verify", "sign"] {
        let run = world.run(&format!("{command} https://a.example/b:1"));
        let run = run.fails(2, "an image is named without https://");
        assert!(
            run.err.contains("hint: leave it out: a.example/b:1"),
            "{}",
            run.err
        );
    }
}
