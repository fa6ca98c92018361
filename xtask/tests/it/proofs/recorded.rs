//! Known answers: everything recorded holds.

use serde_json::json;
use xtask::bundle;
use xtask::format::certificate::Leaf;
use xtask::format::hex::unhex;
use xtask::proof::policy::Policy;
use xtask::proof::{Evidence, KnownChains, Subject, prove};
use xtask::registry::simple_signing;
use xtask::tlog::checkpoint::Checkpoint;
use xtask::tlog::merkle::{
    Hash, consistency_proof, inclusion_proof, leaf_hash, root, root_from_inclusion_proof,
    verify_consistency,
};
use xtask::tlog::tiles::{self, TileTree};

use super::{Files, Sample, failed_links, hash, shown, trusted_root};
use crate::support::recorded::{bytes, file, json, text};

/// The checkpoints of Rekor v2, oldest first.
fn checkpoints() -> [Checkpoint; 3] {
    [3, 7, 260].map(|size| {
        let checkpoint = Checkpoint::read(&text(&format!("rekor-v2/checkpoint-{size}"))).unwrap();
        assert_eq!(checkpoint.size, size);
        checkpoint
    })
}

#[test]
fn every_bundle_is_proved() {
    let root = trusted_root();
    let files = std::fs::read_dir(file("bundles")).unwrap();
    let mut count = 0;
    for file in files {
        let file = file.unwrap().file_name().into_string().unwrap();
        let name = file.strip_suffix(".sigstore.json").unwrap();
        let sample = Sample::read(name);
        let proof = sample.proof(&bytes(&format!("bundles/{file}")), &root);
        let proof = proof.unwrap();
        assert_eq!(failed_links(&proof), [""; 0], "{name}: {:?}", proof.checks);
        let held = |wanted: &str| proof.checks.iter().any(|check| check.link.name() == wanted);
        for wanted in ["artifact", "signature", "entry", "timestamp"] {
            assert!(held(wanted), "{name}: {wanted}");
        }
        for wanted in ["chain", "sct", "validity"] {
            assert_eq!(held(wanted), !name.contains("key"), "{name}: {wanted}");
        }
        for wanted in ["inclusion", "checkpoint"] {
            assert_eq!(held(wanted), !name.contains("0.1"), "{name}: {wanted}");
        }
        assert_eq!(held("promise"), name.ends_with("v1"), "{name}");
        assert!(proof.signed_at.is_some(), "{name}");
        count += 1;
    }
    assert_eq!(count, 15);
}

#[test]
fn every_entry_of_v1_is_in_the_log_and_was_promised() {
    let root = trusted_root();
    for index in 0..7 {
        let proof = shown(&bytes(&format!("rekor-v1/entry-{index}.json")), &root).unwrap();
        assert_eq!(failed_links(&proof), [""; 0], "{index}: {:?}", proof.checks);
        let names: Vec<&str> = proof.checks.iter().map(|check| check.link.name()).collect();
        for wanted in ["inclusion", "checkpoint", "promise"] {
            assert!(names.contains(&wanted), "{index}: {wanted}");
        }
        let path = proof.path.unwrap();
        assert_eq!((path.index, path.size), (index, 7));
    }
}

#[test]
fn the_larger_log_of_v1_begins_with_the_smaller() {
    let state = |size: u64| {
        let log = json(&format!("rekor-v1/log-{size}.json"));
        let checkpoint = Checkpoint::read(log["signedTreeHead"].as_str().unwrap()).unwrap();
        assert_eq!(checkpoint.size, size);
        assert_eq!(log["treeSize"], size);
        let root = trusted_root();
        checkpoint
            .verify(checkpoint.signer(&root).unwrap())
            .unwrap();
        checkpoint
    };
    let (old, new) = (state(3), state(7));
    let proof = json("rekor-v1/proof-3-7.json");
    let mut hashes: Vec<Hash> = proof["hashes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| hash(&unhex(text.as_str().unwrap()).unwrap()))
        .collect();
    let holds = |root: &Hash, hashes: &[Hash]| {
        verify_consistency((old.size, root), (new.size, &new.root), hashes).is_ok()
    };
    assert!(holds(&old.root, &hashes));
    assert!(!holds(&leaf_hash(b"other"), &hashes));
    for i in 0..hashes.len() {
        for bit in 0..256 {
            hashes[i][bit / 8] ^= 1 << (bit % 8);
            assert!(!holds(&old.root, &hashes), "bit {bit} of hash {i}");
            hashes[i][bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn the_checkpoints_of_v2_are_signed() {
    let root = trusted_root();
    for checkpoint in checkpoints() {
        let log = checkpoint.signer(&root).unwrap();
        assert_eq!(log.base_url, root.tlogs[1].base_url);
        checkpoint.verify(log).unwrap();
    }
}

#[test]
fn the_tiles_of_v2_lead_to_the_roots_that_it_signed() {
    for checkpoint in checkpoints() {
        let size = checkpoint.size;
        let mut tree = TileTree::new(Files, size);
        assert_eq!(root(&mut tree, 0, size).unwrap(), checkpoint.root);
        let leaves = leaves(size);
        for (index, leaf) in (0..).zip(&leaves) {
            let proof = inclusion_proof(&mut tree, index, size).unwrap();
            let top = root_from_inclusion_proof(*leaf, index, size, &proof);
            assert_eq!(top, Ok(checkpoint.root), "{index} of {size}");
        }
    }
}

/// The hashes of the leaves of Rekor v2, from its tiles.
fn leaves(size: u64) -> Vec<Hash> {
    (0..size.div_ceil(tiles::WIDTH))
        .flat_map(|number| {
            let width = tiles::width(number, size);
            let tile = bytes(&format!("rekor-v2/{}", tiles::path("0", number, width)));
            tile.chunks(32).map(hash).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn the_entries_of_v2_are_its_leaves() {
    let leaves = leaves(260);
    for (bundle, first, width) in [("000.p/3", 0, 3), ("000.p/7", 0, 7), ("001.p/4", 256, 4)] {
        let bundle = bytes(&format!("rekor-v2/tile/entries/{bundle}"));
        for place in 0..width {
            let entry = tiles::entry(&bundle, place).unwrap();
            assert_eq!(leaf_hash(entry), leaves[first + place], "{}", first + place);
            let entry = serde_json::from_slice(entry).unwrap();
            assert!(xtask::entry::body::recorded(&entry).unwrap().is_some());
        }
        assert_eq!(tiles::entry(&bundle, width), None);
    }
}

#[test]
fn each_log_of_v2_begins_with_the_one_before() {
    let all = checkpoints();
    for (i, old) in all.iter().enumerate() {
        for new in &all[i..] {
            let mut tree = TileTree::new(Files, new.size);
            let proof = consistency_proof(&mut tree, old.size, new.size).unwrap();
            let verdict = verify_consistency((old.size, &old.root), (new.size, &new.root), &proof);
            assert_eq!(verdict, Ok(()), "{} to {}", old.size, new.size);
        }
    }
}

/// An image signed in the format before bundles.
#[test]
fn simple_signing_is_proved() {
    let manifest = json("registry/legacy.json");
    let annotations = &manifest["layers"][0]["annotations"];
    let payload = bytes("registry/legacy-payload.json");
    assert_eq!(manifest["layers"][0]["digest"], bundle::sha256(&payload));
    let image = Subject {
        name: "the image".into(),
        digest: bundle::sha256(&bytes("registry/image.json")),
        other_digest: None,
        bytes: None,
    };
    let proved = |payload: &[u8], annotations| {
        let evidence = Evidence {
            subject: Some(image.clone()),
            bundle: Some(simple_signing(annotations, payload.to_vec()).ok()?),
            from_log: None,
        };
        let proof = prove(
            &evidence,
            &trusted_root(),
            &KnownChains::default(),
            &Policy::default(),
        );
        Some(failed_links(&proof))
    };
    assert_eq!(proved(&payload, annotations), Some(vec![]));
    for i in 0..payload.len() {
        let mut other = payload.clone();
        other[i] ^= 1 << (i % 8);
        let failed = proved(&other, annotations).unwrap();
        assert!(
            failed.starts_with(&["signature"]) || failed.starts_with(&["artifact", "signature"])
        );
        assert!(failed.contains(&"entry"), "{i}: {failed:?}");
    }
}

#[test]
fn the_index_of_referrers_names_the_recorded_manifests() {
    let index = json("registry/referrers.json");
    let named: Vec<&str> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|described| described["digest"].as_str().unwrap())
        .collect();
    for name in [
        "image.v1",
        "image.v2",
        "image-attestation.v1",
        "image-attestation.v2",
    ] {
        let manifest = bytes(&format!("registry/referrer-{name}.json"));
        assert!(
            named.contains(&bundle::sha256(&manifest).as_str()),
            "{name}"
        );
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        let text = bytes(&format!("bundles/{name}.sigstore.json"));
        assert_eq!(manifest["layers"][0]["digest"], bundle::sha256(&text));
        assert!(bundle::read(&text).unwrap().subject_digest().is_some());
    }
}

#[test]
fn certificates_name_what_they_are_for() {
    let identity = |name: &str| {
        let leaf = Leaf::from_pem(&bytes(&format!("certificates/{name}.pem"))).unwrap();
        let issuer = "https://issuer.example.com";
        assert_eq!(leaf.issuer_claim().as_deref(), Some(issuer), "{name}");
        // The older of the two extensions is a raw text, the newer one DER.
        let extensions = leaf.extensions();
        let extensions: Vec<_> = extensions
            .iter()
            .map(|(oid, name, value)| (oid.as_str(), *name, value.as_str()))
            .collect();
        assert_eq!(
            extensions,
            [
                ("1.3.6.1.4.1.57264.1.1", "Issuer (deprecated)", issuer),
                ("1.3.6.1.4.1.57264.1.8", "Issuer (V2)", issuer),
            ],
            "{name}"
        );
        assert!(!leaf.has_sct());
        let identities = leaf.identities();
        assert_eq!(json!(leaf.document())["identities"], json!(identities));
        assert!(leaf.lines()[0].ends_with(&identities[0]), "{name}");
        identities
    };
    assert_eq!(
        identity("uri"),
        ["https://github.com/example/repository/.github/workflows/release.yml@refs/heads/main"]
    );
    assert_eq!(identity("user-name"), ["alice!example.com"]);
    assert_eq!(identity("dns"), ["host.example.com"]);
    assert_eq!(
        identity("script"),
        ["<script>alert(1)</script>@example.com"]
    );
}
