//! Certificates in the recorded CT log: each is where it was promised, and nowhere else.

use xtask::fail::Fail;
use xtask::format::key::Unproved;
use xtask::proof::ct_inclusion;
use xtask::proof::sct::Promise;
use xtask::tlog::checkpoint::Checkpoint;
use xtask::tlog::ct_signature::verify_checkpoint;
use xtask::tlog::merkle::{Hash, consistency_proof, inclusion_proof, verify_consistency};
use xtask::tlog::tiles::{Source, TileTree};
use xtask::trust::root::TrustedRoot;

use super::{Sample, trusted_root};
use crate::support::recorded::{bytes, file, json, text};

/// The files of the log.
struct CtFiles;

impl Source for CtFiles {
    fn find(&self, path: &str, _: u64) -> Result<Option<Vec<u8>>, Fail> {
        let name = format!("ctlog/{path}");
        Ok(file(&name).exists().then(|| bytes(&name)))
    }
}

fn checkpoint(size: u64) -> Checkpoint {
    Checkpoint::read(&text(&format!("ctlog/checkpoint-{size}"))).unwrap()
}

/// The promises in the certificate of a bundle that hold.
fn promises(name: &str, root: &TrustedRoot) -> Vec<Promise> {
    let bundle = bytes(&format!("bundles/{name}.sigstore.json"));
    let proof = Sample::read(name).proof(&bundle, root).unwrap();
    proof.promises
}

fn hashes(index: u64, size: u64) -> Vec<Hash> {
    inclusion_proof(&mut TileTree::new(CtFiles, size), index, size).unwrap()
}

/// Why something is wrong.
fn why<T: std::fmt::Debug>(verdict: Result<T, Unproved>) -> String {
    match verdict {
        Err(Unproved::Wrong(why)) => why,
        other => panic!("it is not wrong: {other:?}"),
    }
}

#[test]
fn every_certificate_is_where_it_was_promised() {
    let root = trusted_root();
    let newest = checkpoint(12);
    // In the order in which they were issued; the tenth signed in another format.
    let names = [
        ["alpha.v1", "image.v1", "image-attestation.v1"],
        ["alpha.v2", "image.v2", "image-attestation.v2"],
    ];
    for (place, name) in names.iter().flatten().enumerate() {
        let [promise] = &promises(name, &root)[..] else {
            panic!("{name} has one promise");
        };
        let place = place as u64;
        assert_eq!(promise.index, Some(place), "{name}");
        // The tree of that size, and the one after more were issued.
        for checkpoint in [&checkpoint(6), &newest] {
            let hashes = hashes(place, checkpoint.size);
            let proved = ct_inclusion::verify(promise, place, checkpoint, &hashes).unwrap();
            let says = format!("entry {place} of the CT log");
            assert!(proved.starts_with(&says), "{proved}");
        }
        // No other place is its own.
        for other in (0..newest.size).filter(|other| *other != place) {
            let hashes = hashes(other, newest.size);
            let said = why(ct_inclusion::verify(promise, other, &newest, &hashes));
            assert!(said.contains("is not this certificate"), "{said}");
        }
    }
}

#[test]
fn what_the_log_does_not_hold_yet_is_not_in_it() {
    let root = trusted_root();
    let promise = &promises("beta.v1", &root)[0];
    assert_eq!(promise.index, Some(7));
    let said = why(ct_inclusion::verify(promise, 7, &checkpoint(6), &[]));
    assert!(
        said.ends_with("promised the place 7, and holds 6 entries"),
        "{said}"
    );
    let mut proof = hashes(7, 12);
    proof.pop();
    let said = why(ct_inclusion::verify(promise, 7, &checkpoint(12), &proof));
    assert!(said.contains("before the root"), "{said}");
}

#[test]
fn the_log_signed_its_checkpoints_and_no_others() {
    let root = trusted_root();
    let log = &root.ctlogs[0];
    for size in [6, 12] {
        assert_eq!(verify_checkpoint(&checkpoint(size), log), Ok(()));
    }
    let whole = text("ctlog/checkpoint-12");
    let lines: Vec<&str> = whole.lines().collect();
    let older = text("ctlog/checkpoint-6");
    let older: Vec<&str> = older.lines().collect();
    let other_root = whole.replace(lines[2], older[2]);
    let other_size = whole.replacen("\n12\n", "\n13\n", 1);
    let other_signature = whole.replace(lines[4], older[4]);
    for text in [other_root, other_size, other_signature] {
        let said = why(verify_checkpoint(&Checkpoint::read(&text).unwrap(), log));
        assert!(said.contains("the signature is wrong"), "{text}{said}");
    }
    let of_another = whole.replace("127.0.0.1/workshop", "127.0.0.1/other");
    let renamed = whole.replacen("127.0.0.1/workshop", "127.0.0.1/other", 1);
    for text in [of_another, renamed] {
        let said = why(verify_checkpoint(&Checkpoint::read(&text).unwrap(), log));
        assert!(
            said.contains("not signed with the key of the CT log"),
            "{said}"
        );
    }
    let short = whole.replace(lines[4], &lines[4][..lines[4].len() - 8]);
    let said = why(verify_checkpoint(&Checkpoint::read(&short).unwrap(), log));
    assert!(said.contains("cannot be read"), "{said}");
}

#[test]
fn a_key_that_does_not_count_signs_no_checkpoint() {
    let mut root = json("trusted_root.json");
    let period = &mut root["ctlogs"][0]["publicKey"]["validFor"];
    period["start"] = "2020-01-01T00:00:00Z".into();
    period["end"] = "2021-01-01T00:00:00Z".into();
    let root = TrustedRoot::read(root.to_string().as_bytes()).unwrap();
    let said = why(verify_checkpoint(&checkpoint(12), &root.ctlogs[0]));
    assert!(said.contains("when the key did not count"), "{said}");
}

#[test]
fn the_log_begins_with_what_was_seen_before() {
    let (old, new) = (checkpoint(6), checkpoint(12));
    let mut tree = TileTree::new(CtFiles, new.size);
    let proof = consistency_proof(&mut tree, old.size, new.size).unwrap();
    let sizes = ((old.size, &old.root), (new.size, &new.root));
    assert_eq!(verify_consistency(sizes.0, sizes.1, &proof), Ok(()));
}

/// What the log hands out is what was promised: the leaves of its bundle.
#[test]
fn the_bundle_of_the_log_holds_the_certificates() {
    let entries = xtask::ct_log::split(&bytes("ctlog/tile/data/000.p/12")).unwrap();
    assert_eq!(entries.len(), 12);
    assert!(
        entries
            .windows(2)
            .all(|pair| pair[0].timestamp <= pair[1].timestamp)
    );
    assert!(entries.iter().all(|entry| {
        entry
            .certificate
            .as_slice()
            .windows(5)
            .any(|name| name == b"alice" || name == b"bob@e")
    }));
}
