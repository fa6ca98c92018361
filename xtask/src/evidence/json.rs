//! What is known of a signature, for a script. Times are RFC 3339, hashes hexadecimal.

use std::path::PathBuf;

use serde::Serialize;

use super::{Inspected, describe};
use crate::entry::{Entry, Version};
use crate::format::certificate::{Leaf, LeafDocument};
use crate::format::hex::hex;
use crate::proof::{Check, Counted, Evidence, Proof, Unchecked};
use crate::time;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::merkle;

/// What came of the checks.
#[derive(Serialize)]
pub(crate) struct Checks {
    ok: bool,
    checks: Vec<Check>,
    unchecked: Vec<Unchecked>,
    counted: Vec<Counted>,
}

impl Checks {
    fn of(proof: &Proof) -> Checks {
        Checks {
            ok: proof.failed().is_empty(),
            checks: proof.checks.clone(),
            unchecked: proof.unchecked.clone(),
            counted: proof.counted.clone(),
        }
    }
}

/// All that is known of a signature.
#[derive(Serialize)]
pub(crate) struct Document {
    rekor: Option<Version>,
    log_index: Option<u64>,
    uuid: Option<String>,
    kind: Option<String>,
    digest: Option<String>,
    integrated_time: Option<String>,
    identity: Option<String>,
    issuer: Option<String>,
    artifact: Option<String>,
    predicate_type: Option<String>,
    signed_at: Option<String>,
    found_at: Option<String>,
    inclusion: Option<Inclusion>,
    checkpoint: Option<SignedCheckpoint>,
    #[serde(flatten)]
    checks: Checks,
    /// The page that shows it, where one was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<PathBuf>,
}

#[derive(Serialize)]
struct Inclusion {
    index: u64,
    size: u64,
    leaf_hash: String,
    hashes: Vec<String>,
    root: String,
}

#[derive(Serialize)]
struct SignedCheckpoint {
    log_id: String,
    origin: String,
    size: u64,
    root: String,
}

impl Document {
    /// Describes a signature.
    pub(crate) fn of(inspected: &Inspected) -> Document {
        let Inspected {
            evidence, proof, ..
        } = inspected;
        let leaf = evidence.leaf();
        let entry = evidence.entry();
        let recorded = entry.and_then(|entry| entry.recorded().ok().flatten());
        let integrated = entry.and_then(|entry| entry.integrated);
        let names = leaf.as_ref().map(Leaf::identities);
        Document {
            rekor: entry.map(|entry| entry.rekor),
            log_index: entry.map(|entry| entry.index),
            uuid: entry.and_then(|entry| entry.uuid.clone()),
            kind: entry.map(Entry::kind),
            digest: recorded.map(|recorded| recorded.digest_text()),
            integrated_time: integrated.and_then(time::from_unix),
            identity: names.and_then(|names| names.into_iter().next()),
            issuer: leaf.as_ref().and_then(Leaf::issuer_claim),
            artifact: describe::artifact(evidence),
            predicate_type: predicate_type(evidence),
            signed_at: proof.signed_at.and_then(time::from_unix),
            found_at: inspected.title.clone(),
            inclusion: entry.and_then(inclusion),
            checkpoint: proof.checkpoint.as_ref().map(checkpoint),
            checks: Checks::of(proof),
            page: None,
        }
    }

    /// The document of a signature that a page shows.
    pub(crate) fn shown_by(self, page: PathBuf) -> Document {
        let page = Some(page);
        Document { page, ..self }
    }
}

/// The predicate type of the statement that was signed (in-toto), also of one that only
/// says that something was signed.
fn predicate_type(evidence: &Evidence) -> Option<String> {
    evidence.bundle.as_ref()?.content.predicate_type()
}

fn inclusion(entry: &Entry) -> Option<Inclusion> {
    let proof = entry.proof.as_ref()?;
    Some(Inclusion {
        index: proof.index,
        size: proof.size,
        leaf_hash: hex(&merkle::leaf_hash(&entry.canonicalized_body)),
        hashes: proof.hashes.iter().map(|hash| hex(hash)).collect(),
        root: hex(&proof.root),
    })
}

fn checkpoint((log_id, checkpoint): &(Vec<u8>, Checkpoint)) -> SignedCheckpoint {
    SignedCheckpoint {
        log_id: hex(log_id),
        origin: checkpoint.origin.clone(),
        size: checkpoint.size,
        root: hex(&checkpoint.root),
    }
}

/// A certificate, and what is proved of it.
#[derive(Serialize)]
pub(crate) struct CertificateDocument {
    #[serde(flatten)]
    leaf: LeafDocument,
    #[serde(flatten)]
    checks: Checks,
}

impl CertificateDocument {
    /// Describes a leaf certificate.
    pub(crate) fn of(leaf: &Leaf, proof: &Proof) -> CertificateDocument {
        CertificateDocument {
            leaf: leaf.document(),
            checks: Checks::of(proof),
        }
    }
}
