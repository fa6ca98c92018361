//! Proving a signature: every link from an artifact to the authorities of a trusted
//! root, each a check of its own, independently of cosign.
//!
//! Nothing here knows a target or a server. [`prove`] is given what was fetched
//! or kept, and says of each link whether it holds and why.

pub mod chain;
mod checks;
mod counted;
pub mod ct_inclusion;
mod known_chains;
mod link;
pub mod policy;
pub mod sct;
mod signed_entry_timestamp;
pub mod timestamp;

use serde::Serialize;

use crate::bundle::Bundle;
use crate::entry::Entry;
use crate::format::certificate::Leaf;
use crate::format::hex::hex;
use crate::format::key::{Hashing, Unproved};
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::merkle::{Hash, PathNode};
use crate::trust::root::TrustedRoot;
use checks::certificate::{of_certificate, of_timestamps};
use checks::further::of_further_entries;
use checks::log::{of_log, of_promise};
use checks::signature::{Signer, of_artifact, of_entry, of_signature};
use policy::Policy;

pub use counted::Counted;
pub use known_chains::KnownChains;
pub use link::Link;

/// Whether a link holds: how, or why not. For a person, without a full stop.
pub(crate) type Verdict = Result<String, Unproved>;

/// A link that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which one.
    #[serde(rename = "name")]
    pub link: Link,
    /// Whether it holds.
    pub ok: bool,
    /// How, or why not.
    pub detail: String,
}

/// A link that could not be checked, since what it needs was not given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unchecked {
    /// Which one.
    #[serde(rename = "name")]
    pub link: Link,
    /// What is missing.
    pub detail: String,
    /// Whether it is there, and of a kind that this program does not read: then the
    /// signature is not proved.
    #[serde(skip)]
    pub not_read: bool,
}

/// The artifact that is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The image by digest, or the file.
    pub name: String,
    /// Its digest: `sha256:…`.
    pub digest: String,
    /// Its digest by the algorithm of the bundle, where that is another one:
    /// `sha512:…`.
    pub other_digest: Option<String>,
    /// The bytes of a file, which a signature may be over; none of a large one.
    pub bytes: Option<Vec<u8>>,
}

impl Subject {
    /// Its digest by an algorithm, `sha512:…`, where that is known; else by SHA-256.
    pub(crate) fn digest_by(&self, hashing: Hashing) -> String {
        match (hashing, &self.bytes) {
            (Hashing::Sha256, _) => self.digest.clone(),
            (_, Some(bytes)) => format!("{}:{}", hashing.name(), hex(&hashing.digest(bytes))),
            (_, None) => self.other_digest.as_ref().unwrap_or(&self.digest).clone(),
        }
    }
}

/// What is known of one signature, nothing of which has been checked.
#[derive(Default)]
pub struct Evidence {
    /// The artifact that it is said to be of.
    pub subject: Option<Subject>,
    /// The bundle.
    pub bundle: Option<Bundle>,
    /// The entry as the log shows it now; without one that in the bundle counts.
    pub from_log: Option<Entry>,
}

/// What came of the checks.
#[derive(Default)]
pub struct Proof {
    /// The links that were checked, in their order.
    pub checks: Vec<Check>,
    /// Those that could not be.
    pub unchecked: Vec<Unchecked>,
    /// When it was signed, in seconds since 1970, where a trusted party says so.
    pub signed_at: Option<u64>,
    /// The path from the leaf of the log to its root, where the proof holds.
    pub path: Option<InclusionPath>,
    /// The checkpoint, where its signature is the log's, and the id of that log.
    pub checkpoint: Option<(Vec<u8>, Checkpoint)>,
    /// The promises of CT logs to show the leaf certificate that hold.
    pub promises: Vec<sct::Promise>,
    /// What of the trusted root they rest on.
    pub counted: Vec<Counted>,
    /// The chain above the leaf certificate, DER, the root last, where it holds.
    pub chain: Vec<Vec<u8>>,
}

/// The way from a leaf of a log to its root.
pub struct InclusionPath {
    /// The index of the leaf.
    pub index: u64,
    /// How many leaves the tree has.
    pub size: u64,
    /// The hash of the leaf.
    pub leaf: Hash,
    /// The steps.
    pub climbs: Vec<PathNode>,
}

impl Proof {
    /// Adds a check, in its place.
    pub fn check(&mut self, link: Link, verdict: Verdict) {
        let (ok, detail) = match verdict {
            Ok(how) => (true, how),
            Err(Unproved::Wrong(why)) => (false, why),
            Err(Unproved::NotRead(why)) => return self.leave_out(link, why, true),
        };
        self.put(link, ok, detail);
    }

    fn put(&mut self, link: Link, ok: bool, detail: String) {
        let at = self.checks.partition_point(|check| check.link <= link);
        self.checks.insert(at, Check { link, ok, detail });
    }

    /// Adds a check that could not be done, in its place.
    pub fn skip(&mut self, link: Link, detail: impl Into<String>) {
        self.leave_out(link, detail.into(), false);
    }

    fn leave_out(&mut self, link: Link, detail: String, not_read: bool) {
        let at = self.unchecked.partition_point(|check| check.link <= link);
        let unchecked = Unchecked {
            link,
            detail,
            not_read,
        };
        self.unchecked.insert(at, unchecked);
    }

    /// The links that keep the signature from being proved: those that do not hold,
    /// and those that are there and not read.
    pub fn failed(&self) -> Vec<Link> {
        let wrong = self.checks.iter().filter(|check| !check.ok);
        let not_read = self.unchecked.iter().filter(|check| check.not_read);
        let wrong = wrong.map(|check| check.link);
        let mut failed: Vec<_> = wrong.chain(not_read.map(|check| check.link)).collect();
        failed.sort_unstable();
        failed
    }
}

/// The verdict that something is wrong.
pub(crate) fn wrong(why: impl Into<String>) -> Verdict {
    Err(Unproved::Wrong(why.into()))
}

impl Evidence {
    /// The entry that counts: what the log shows now, else what the bundle holds.
    pub fn entry(&self) -> Option<&Entry> {
        let in_bundle = self
            .bundle
            .as_ref()
            .and_then(|bundle| bundle.entry.as_ref());
        self.from_log.as_ref().or(in_bundle)
    }

    /// The leaf certificate: that of the bundle, else that of the entry.
    pub fn leaf(&self) -> Option<Leaf> {
        match &self.bundle {
            Some(bundle) => bundle.certificate().cloned(),
            None => self.from_log.as_ref()?.leaf().ok()?,
        }
    }
}

/// Checks every link of a signature that can be checked without a network. `identity` and
/// `issuer` are checked where the policy names them; `consistency` and `ct-inclusion`
/// are left to `evidence`, which asks logs and remembers their checkpoints.
pub fn prove(
    evidence: &Evidence,
    root: &TrustedRoot,
    known: &KnownChains,
    policy: &Policy,
) -> Proof {
    let mut proof = Proof::default();
    // A link that does not hold keeps none of the others from being checked: a reader sees
    // how far the rest would have led.
    let recorded = match evidence.entry().map(Entry::recorded) {
        None => Ok(None),
        Some(recorded) => recorded,
    };
    let leaf = evidence.leaf();
    of_artifact(&mut proof, evidence);
    let signer = Signer {
        leaf: leaf.as_ref(),
        expected: policy.key.as_ref(),
    };
    of_signature(&mut proof, evidence, &signer, &recorded);
    of_entry(&mut proof, evidence, &signer, &recorded, root);
    let stamped = of_timestamps(&mut proof, evidence, root, known);
    let log = of_log(&mut proof, evidence, &stamped, root);
    let promised = of_promise(&mut proof, evidence, log);
    let further = of_further_entries(&mut proof, evidence, &signer, &stamped, root);
    let times: Vec<u64> = stamped.into_iter().chain(promised).chain(further).collect();
    proof.signed_at = times.iter().copied().min();
    match &leaf {
        Some(leaf) => of_certificate(&mut proof, evidence, leaf, &times, root),
        None => {
            let why = match (&evidence.bundle, &recorded) {
                (None, Ok(None)) => "this program does not read entries of this kind",
                (None, Err(_)) => "the entry cannot be read",
                _ => "signed with a key, not an identity",
            };
            for link in [Link::Chain, Link::Sct, Link::Validity] {
                proof.skip(link, why);
            }
        }
    }
    for (link, verdict) in policy.compare(leaf.as_ref()) {
        proof.check(link, verdict);
    }
    proof
}
