//! Proofs of what real servers said, as it is recorded in `tests/data`: all of it
//! holds, and no longer does where one bit of it is another.

mod ct_inclusion;
mod damaged;
mod keys;
mod others;
mod recorded;
mod tampered;
pub mod timestamps;
mod vectors;
mod wrong;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use xtask::bundle;
use xtask::fail::Fail;
use xtask::proof::policy::Policy;
use xtask::proof::{Evidence, KnownChains, Link, Proof, Subject, prove};
use xtask::rekor;
use xtask::tlog::merkle::Hash;
use xtask::tlog::tiles::Source;
use xtask::trust::root::TrustedRoot;

use crate::support::recorded::{bytes, file, json};

fn trusted_root() -> TrustedRoot {
    TrustedRoot::read(&bytes("trusted_root.json")).unwrap()
}

fn base64(value: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap()
}

fn hash(bytes: &[u8]) -> Hash {
    bytes.try_into().unwrap()
}

/// A bundle, and what it is a signature of.
struct Sample {
    bundle: Value,
    subject: Subject,
}

impl Sample {
    fn read(name: &str) -> Sample {
        let (name, file, of_image) = match name.split(['-', '.']).next().unwrap() {
            "image" => (name, "registry/image.json", true),
            "alpha" => (name, "blobs/alpha.txt", false),
            _ => (name, "blobs/beta.txt", false),
        };
        let bytes = bytes(file);
        Sample {
            bundle: json(&format!("bundles/{name}.sigstore.json")),
            subject: Subject {
                name: file.into(),
                digest: bundle::sha256(&bytes),
                other_digest: None,
                bytes: (!of_image).then_some(bytes),
            },
        }
    }

    /// What comes of a bundle that is said to be of the same; `None` where it is
    /// refused.
    fn proof(&self, bundle: &[u8], root: &TrustedRoot) -> Option<Proof> {
        let evidence = Evidence {
            subject: Some(self.subject.clone()),
            bundle: Some(bundle::read(bundle).ok()?),
            from_log: None,
        };
        Some(prove(
            &evidence,
            root,
            &KnownChains::default(),
            &Policy::default(),
        ))
    }

    /// The checks that do not hold.
    fn failed(&self, bundle: &Value, root: &TrustedRoot) -> Option<Vec<&'static str>> {
        let proof = self.proof(bundle.to_string().as_bytes(), root)?;
        Some(failed_links(&proof))
    }
}

/// The names of the links that do not hold.
fn failed_links(proof: &Proof) -> Vec<&'static str> {
    proof.failed().into_iter().map(Link::name).collect()
}

/// What comes of an answer of Rekor v1 alone; `None` where it is refused.
fn shown(answer: &[u8], root: &TrustedRoot) -> Option<Proof> {
    let evidence = Evidence {
        from_log: Some(rekor::read_v1(answer).ok()?),
        ..Evidence::default()
    };
    Some(prove(
        &evidence,
        root,
        &KnownChains::default(),
        &Policy::default(),
    ))
}

/// The recorded tiles.
struct Files;

impl Source for Files {
    fn find(&self, name: &str, _: u64) -> Result<Option<Vec<u8>>, Fail> {
        Ok(std::fs::read(file("rekor-v2").join(name)).ok())
    }
}
