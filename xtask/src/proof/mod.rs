//! Proving a signature: every link from an artifact to the authorities of a trusted
//! root, each a check of its own, independently of cosign.
//!
//! Nothing here knows a target or a server. [`prove`] is given what somebody fetched
//! or kept, and says of each link whether it holds and why.

pub mod chain;
pub mod checkpoint;
pub mod encoded;
pub mod key;
pub mod merkle;
pub mod policy;
pub mod promise;
pub mod sct;
pub mod seen;
pub mod tiles;
pub mod timestamp;
pub mod trusted_root;

use serde::Serialize;

use crate::bundle::{Bundle, Content};
use crate::certificate::Leaf;
use crate::encoding::hex;
use crate::rekor::body::{Recorded, Verifier};
use crate::rekor::{Entry, Version};
use crate::time;
use chain::Purpose;
use checkpoint::Checkpoint;
use key::PublicKey;
use merkle::{Climb, Hash};
use policy::Policy;
use trusted_root::{TransparencyLog, TrustedRoot};

/// Whether a link holds: how, or why not. For a person, without a full stop.
pub type Verdict = Result<String, String>;

/// A link that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which one; one of [`NAMES`].
    pub name: &'static str,
    /// Whether it holds.
    pub ok: bool,
    /// How, or why not.
    pub detail: String,
}

/// A link that could not be checked, since what it needs was not given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unchecked {
    /// Which one.
    pub name: &'static str,
    /// What is missing.
    pub detail: String,
}

/// The checks, in the order in which they are shown, and what each is about.
pub const NAMES: [(&str, &str); 13] = [
    (
        "artifact",
        "what was signed is the artifact that was asked about",
    ),
    (
        "signature",
        "the key of the leaf certificate made the signature",
    ),
    ("entry", "the log entry is about this signature"),
    ("inclusion", "the entry is in the log"),
    (
        "checkpoint",
        "the log signed the root that the proof leads to",
    ),
    ("promise", "the log signed the entry and its time"),
    (
        "consistency",
        "the log still begins with what was seen of it before",
    ),
    ("chain", "Fulcio issued the leaf certificate"),
    ("sct", "a CT log promised to show the leaf certificate"),
    ("timestamp", "a timestamp authority saw the signature"),
    ("validity", "the leaf certificate was valid at that time"),
    ("identity", "the expected one signed"),
    ("issuer", "the expected one vouched for that name"),
];

/// An artifact that somebody asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The image by digest, or the file.
    pub name: String,
    /// Its digest: `sha256:…`.
    pub digest: String,
    /// The bytes of a file, which a signature may be over.
    pub bytes: Option<Vec<u8>>,
}

/// What is known of one signature, nothing of which has been checked.
#[derive(Default)]
pub struct Evidence {
    /// The artifact that it is said to be of.
    pub subject: Option<Subject>,
    /// The bundle.
    pub bundle: Option<Bundle>,
    /// The entry as the log shows it now; without one that in the bundle counts.
    pub shown: Option<Entry>,
}

/// What came of the checks.
#[derive(Default)]
pub struct Proof {
    /// The links that were checked, in the order of [`NAMES`].
    pub checks: Vec<Check>,
    /// Those that could not be.
    pub unchecked: Vec<Unchecked>,
    /// When it was signed, in seconds since 1970, where somebody trusted says so.
    pub signed_at: Option<u64>,
    /// The path from the leaf of the log to its root, where the proof holds.
    pub path: Option<Path>,
    /// The checkpoint, where its signature is the log's, and the id of that log.
    pub checkpoint: Option<(Vec<u8>, Checkpoint)>,
    /// The chain above the leaf certificate, DER, the root last, where it holds.
    pub chain: Vec<Vec<u8>>,
}

/// The way from a leaf of a log to its root.
pub struct Path {
    /// The index of the leaf.
    pub index: u64,
    /// How many leaves the tree has.
    pub size: u64,
    /// The hash of the leaf.
    pub leaf: Hash,
    /// The steps.
    pub climbs: Vec<Climb>,
}

impl Proof {
    /// Adds a check, in its place.
    pub fn check(&mut self, name: &'static str, verdict: Verdict) {
        let ok = verdict.is_ok();
        let detail = verdict.unwrap_or_else(|why| why);
        let at = self
            .checks
            .partition_point(|check| place(check.name) <= place(name));
        self.checks.insert(at, Check { name, ok, detail });
    }

    /// Adds a check that could not be done.
    pub fn skip(&mut self, name: &'static str, detail: impl Into<String>) {
        let detail = detail.into();
        self.unchecked.push(Unchecked { name, detail });
    }

    /// The names of the checks that do not hold.
    pub fn failed(&self) -> Vec<&'static str> {
        let failed = self.checks.iter().filter(|check| !check.ok);
        failed.map(|check| check.name).collect()
    }
}

fn place(name: &str) -> usize {
    NAMES.iter().take_while(|(known, _)| *known != name).count()
}

impl Evidence {
    /// The entry that counts: what the log shows now, else what the bundle holds.
    pub fn entry(&self) -> Option<&Entry> {
        let held = self
            .bundle
            .as_ref()
            .and_then(|bundle| bundle.entry.as_ref());
        self.shown.as_ref().or(held)
    }

    /// The leaf certificate: that of the bundle, else that of the entry.
    pub fn leaf(&self) -> Option<Leaf> {
        match &self.bundle {
            Some(bundle) => bundle.certificate().cloned(),
            None => self.shown.as_ref()?.leaf().ok()?,
        }
    }
}

/// Checks every link of a signature that can be checked without asking anybody.
/// `identity` and `issuer` are checked where the policy names them; `consistency` is
/// left to whoever remembers checkpoints ([`seen`]).
pub fn prove(evidence: &Evidence, root: &TrustedRoot, policy: &Policy) -> Proof {
    let mut proof = Proof::default();
    let recorded = match evidence.entry().map(Entry::recorded) {
        None => Ok(None),
        Some(recorded) => recorded,
    };
    let leaf = evidence.leaf();
    of_artifact(&mut proof, evidence);
    of_signature(&mut proof, evidence, leaf.as_ref(), &recorded);
    of_entry(&mut proof, evidence, leaf.as_ref(), &recorded);
    let mut times = of_timestamps(&mut proof, evidence, root);
    let log = of_log(&mut proof, evidence, &times, root);
    times.extend(of_promise(&mut proof, evidence, log));
    proof.signed_at = times.iter().copied().min();
    match &leaf {
        Some(leaf) => of_certificate(&mut proof, evidence, leaf, &times, root),
        None => {
            for name in ["chain", "sct", "validity"] {
                proof.skip(name, "signed with a key, not an identity");
            }
        }
    }
    for (name, verdict) in policy.compare(leaf.as_ref()) {
        proof.check(name, verdict);
    }
    proof
}

fn of_artifact(proof: &mut Proof, evidence: &Evidence) {
    let Some(subject) = &evidence.subject else {
        return proof.skip("artifact", "no artifact was given to compare with");
    };
    let Some(bundle) = &evidence.bundle else {
        return proof.skip(
            "artifact",
            "the log alone does not say what an envelope holds",
        );
    };
    let named = bundle.content.subjects();
    let digest = match (&bundle.content, &subject.bytes) {
        // A file is hashed as the message was, which may be longer than SHA-256.
        (Content::Message { hashing, .. }, Some(bytes)) => {
            format!("{}:{}", hashing.name(), hex(&hashing.digest(bytes)))
        }
        _ => subject.digest.clone(),
    };
    let verdict = if named.contains(&digest) {
        let what = match bundle.content {
            Content::Message { .. } => "the digest of what was signed",
            _ => "named in the statement that was signed",
        };
        Ok(format!("{digest} is {what}"))
    } else if named.is_empty() {
        Err("what was signed names no digest".into())
    } else {
        let signed = named.join(", ");
        let name = &subject.name;
        Err(format!("{signed} was signed, and {name} has {digest}"))
    };
    proof.check("artifact", verdict);
}

/// The key that must have made the signature: that of the leaf certificate, else the
/// one that the entry holds.
fn signer(
    leaf: Option<&Leaf>,
    recorded: &Result<Option<Recorded>, String>,
) -> Result<PublicKey, String> {
    match (leaf, recorded) {
        (Some(leaf), _) => PublicKey::of(leaf.certificate()),
        (None, Ok(Some(recorded))) => match &recorded.verifier {
            Verifier::Key(der) => PublicKey::from_der(der),
            Verifier::Certificate(der) => {
                let leaf = Leaf::from_der(der).map_err(|error| error.to_string())?;
                PublicKey::of(leaf.certificate())
            }
        },
        (None, Ok(None)) => Err("there is neither a certificate nor a key".into()),
        (None, Err(why)) => Err(why.clone()),
    }
}

fn of_signature(
    proof: &mut Proof,
    evidence: &Evidence,
    leaf: Option<&Leaf>,
    recorded: &Result<Option<Recorded>, String>,
) {
    let whose = match leaf {
        Some(_) => "the key of the leaf certificate",
        None => "the key in the entry",
    };
    let bytes = evidence
        .subject
        .as_ref()
        .and_then(|subject| subject.bytes.as_deref());
    let Some(bundle) = &evidence.bundle else {
        // The log knows the digest of the message only, or not even that.
        let recorded = match recorded {
            Err(why) => return proof.check("signature", Err(why.clone())),
            Ok(None) => {
                return proof.skip(
                    "signature",
                    "this program does not know entries of this kind",
                );
            }
            Ok(Some(recorded)) => recorded,
        };
        let key = match signer(leaf, &Ok(Some(recorded.clone()))) {
            Err(why) => return proof.check("signature", Err(why)),
            Ok(key) => key,
        };
        if recorded.of_payload || matches!(key, PublicKey::Ed25519(_)) {
            return proof.skip(
                "signature",
                "the log does not hold what was signed; the bundle does",
            );
        }
        let verdict = key.verify_digest(&recorded.digest, &recorded.signature);
        return proof.check("signature", verdict.map(|()| made(whose, &key)));
    };
    let key = match signer(leaf, recorded) {
        Err(why) => return proof.check("signature", Err(why)),
        Ok(key) => key,
    };
    let signature = bundle.content.signature();
    let verdict = match (&bundle.content, &key) {
        (
            Content::Message {
                hashing, digest, ..
            },
            PublicKey::Ed25519(_),
        ) => match bytes {
            // Whether these are the bytes is the check of the artifact.
            Some(bytes) if hashing.digest(bytes) == *digest => key.verify(bytes, signature),
            _ => {
                return proof.skip(
                    "signature",
                    "an Ed25519 key signs the file itself, which was not given",
                );
            }
        },
        (Content::Message { digest, .. }, _) => key.verify_digest(digest, signature),
        (content, PublicKey::Ed25519(_)) => {
            key.verify(&content.message().unwrap_or_default(), signature)
        }
        (content, _) => {
            // The log says how it was hashed where it hashed the same.
            let hashing = match recorded {
                Ok(Some(recorded)) if !recorded.of_payload => recorded.hashing,
                _ => key.hashing(),
            };
            let message = content.message().unwrap_or_default();
            key.verify_digest(&hashing.digest(&message), signature)
        }
    };
    proof.check("signature", verdict.map(|()| made(whose, &key)));
}

fn made(whose: &str, key: &PublicKey) -> String {
    format!("made with {whose} ({})", key.name())
}

/// Compares an entry with the bundle that brought it, or that it was looked up for.
fn of_entry(
    proof: &mut Proof,
    evidence: &Evidence,
    leaf: Option<&Leaf>,
    recorded: &Result<Option<Recorded>, String>,
) {
    let Some(bundle) = &evidence.bundle else {
        return;
    };
    if evidence.entry().is_none() {
        return proof.check("entry", Err("the bundle holds no log entry".into()));
    }
    if let (Some(shown), Some(held)) = (&evidence.shown, &bundle.entry)
        && shown.canonical != held.canonical
    {
        let why = format!("the log shows another entry at index {}", shown.index);
        return proof.check("entry", Err(why));
    }
    let recorded = match recorded {
        Err(why) => return proof.check("entry", Err(why.clone())),
        Ok(None) => {
            let kind = evidence.entry().map(Entry::kind).unwrap_or_default();
            let why = format!("this program does not read entries of the kind {kind}");
            return proof.check("entry", Err(why));
        }
        Ok(Some(recorded)) => recorded,
    };
    let content = &bundle.content;
    let digest = match (content, recorded.of_payload) {
        (Content::Envelope { payload, .. }, true) => Some(recorded.hashing.digest(payload)),
        (
            Content::Message {
                hashing, digest, ..
            },
            false,
        ) if *hashing == recorded.hashing => Some(digest.clone()),
        (Content::Message { .. }, _) | (Content::Simple { .. }, true) => None,
        (content, _) => content
            .message()
            .map(|message| recorded.hashing.digest(&message)),
    };
    let of = if recorded.of_payload {
        "payload"
    } else {
        "message"
    };
    let same_signer = match (&recorded.verifier, leaf) {
        (Verifier::Certificate(der), Some(leaf)) => der == leaf.der(),
        (Verifier::Key(_), None) => true,
        _ => false,
    };
    let verdict = if digest.as_ref() != Some(&recorded.digest) {
        Err(format!(
            "it holds the digest of another {of}: {}",
            recorded.digest_text()
        ))
    } else if recorded.signature != content.signature() {
        Err("it holds another signature".into())
    } else if !same_signer {
        Err("it names another signer".into())
    } else {
        Ok(format!(
            "it holds this signature, its signer and the digest of the {of}"
        ))
    };
    proof.check("entry", verdict);
}

/// Climbs from the entry to the root and checks who signed that; the log whose key it
/// was.
fn of_log<'a>(
    proof: &mut Proof,
    evidence: &Evidence,
    timestamps: &[u64],
    root: &'a TrustedRoot,
) -> Option<&'a TransparencyLog> {
    let entry = evidence.entry()?;
    let named = entry.log_id.as_deref();
    let known = named.and_then(|id| root.tlog(id));
    let stranger = |id: &[u8]| {
        format!(
            "the trusted root does not know the log {}",
            hex(&id[..id.len().min(4)])
        )
    };
    let Some(included) = &entry.proof else {
        let bundle = evidence.bundle.as_ref();
        if entry.promise.is_some() && bundle.is_some_and(|bundle| bundle.promise_suffices) {
            proof.skip(
                "inclusion",
                "a signature of that age holds a promise instead of a proof",
            );
        } else {
            proof.check("inclusion", Err("the entry comes without a proof".into()));
        }
        return known;
    };
    let leaf = merkle::leaf_hash(&entry.canonical);
    let climbs = merkle::climb(leaf, included.index, included.size, &included.hashes);
    let verdict = climbs.and_then(|climbs| {
        let top = climbs.last().map_or(leaf, |climb| climb.parent);
        if top != included.root {
            return Err(format!(
                "the proof leads to the root {}, not to {}",
                hex(&top),
                hex(&included.root)
            ));
        }
        if entry.rekor == Version::V2 && entry.index != included.index {
            return Err(format!(
                "the proof is about entry {}, not {}",
                included.index, entry.index
            ));
        }
        let detail = format!(
            "entry {} leads over {} to the root {} of {}",
            included.index,
            counted(climbs.len() as u64, "hash", "hashes"),
            short(&top),
            entries(included.size)
        );
        proof.path = Some(Path {
            index: included.index,
            size: included.size,
            leaf,
            climbs,
        });
        Ok(detail)
    });
    proof.check("inclusion", verdict);

    let Some(text) = &included.checkpoint else {
        proof.check(
            "checkpoint",
            Err("the proof comes without a checkpoint".into()),
        );
        return known;
    };
    let checkpoint = match Checkpoint::read(text) {
        Ok(checkpoint) => checkpoint,
        Err(why) => {
            proof.check("checkpoint", Err(format!("it cannot be read: {why}")));
            return known;
        }
    };
    let log = match named {
        Some(id) => known.ok_or_else(|| stranger(id)),
        None => checkpoint
            .signer(root)
            .ok_or_else(|| "no log of the trusted root signed it".to_owned()),
    };
    let signed = log.clone().and_then(|log| {
        // Of v1 the promise names a time, of v2 nothing but the timestamps does.
        let counts = |time: &u64| log.valid_for().holds(*time);
        if entry.rekor == Version::V2 && !timestamps.iter().all(counts) {
            return Err("the key of the log did not count when it was signed".into());
        }
        checkpoint.verify(log)
    });
    let verdict = signed.and_then(|detail| {
        if (checkpoint.size, checkpoint.root) != (included.size, included.root) {
            return Err(format!(
                "it is of the root {} of {}, and the proof of {} of {}",
                hex(&checkpoint.root),
                entries(checkpoint.size),
                hex(&included.root),
                entries(included.size)
            ));
        }
        Ok(detail)
    });
    if let (Ok(_), Ok(log)) = (&verdict, &log) {
        proof.checkpoint = Some((log.id().to_vec(), checkpoint));
    }
    proof.check("checkpoint", verdict);
    log.ok()
}

/// Checks Rekor v1's promise; the time that it names.
fn of_promise(
    proof: &mut Proof,
    evidence: &Evidence,
    log: Option<&TransparencyLog>,
) -> Option<u64> {
    let entry = evidence.entry()?;
    let Some(promise) = &entry.promise else {
        if entry.rekor == Version::V1 {
            proof.check(
                "promise",
                Err("the entry names a time that nobody signed".into()),
            );
        }
        return None;
    };
    let verdict = match log {
        None => Err("the trusted root does not know the log".into()),
        Some(log) => promise::verify(entry, promise, log),
    };
    let time = verdict.is_ok().then_some(entry.integrated).flatten();
    proof.check("promise", verdict);
    time
}

/// Checks the timestamps; the times that they name.
fn of_timestamps(proof: &mut Proof, evidence: &Evidence, root: &TrustedRoot) -> Vec<u64> {
    let Some(bundle) = &evidence.bundle else {
        proof.skip("timestamp", "a timestamp is in the bundle, not in the log");
        return Vec::new();
    };
    if bundle.timestamps.is_empty() {
        proof.skip("timestamp", "the bundle holds none");
        return Vec::new();
    }
    if root.timestamp_authorities.is_empty() {
        proof.skip("timestamp", "the trusted root names no timestamp authority");
        return Vec::new();
    }
    let signature = bundle.content.signature();
    let mut times = Vec::new();
    let all = bundle.timestamps.iter();
    let verdict = all
        .map(|response| {
            let timestamp = timestamp::verify(response, signature, root)?;
            times.push(timestamp.time);
            Ok(timestamp.detail)
        })
        .collect::<Result<Vec<String>, String>>();
    proof.check("timestamp", verdict.map(|details| details.join("; ")));
    times
}

fn of_certificate(
    proof: &mut Proof,
    evidence: &Evidence,
    leaf: &Leaf,
    times: &[u64],
    root: &TrustedRoot,
) {
    let (from, to) = leaf.validity();
    let authorities = &root.certificate_authorities;
    // As of when it was issued; whether that was the time is the check of validity.
    let chain = match chain::verify(leaf.der(), authorities, Purpose::CodeSigning, from) {
        Ok(chain) => chain,
        Err(why) => {
            proof.check("chain", Err(why));
            proof.skip("sct", "it names the authority that issued the certificate");
            proof.skip("validity", "nobody trusted issued the certificate");
            return;
        }
    };
    proof.chain = chain.authority.chain().map(<[u8]>::to_vec).collect();
    let by = leaf.certificate().tbs_certificate.issuer.to_string();
    let over = match chain.intermediates {
        0 => String::new(),
        n => format!(
            ", over {}",
            counted(n as u64, "intermediate", "intermediates")
        ),
    };
    proof.check(
        "chain",
        Ok(format!(
            "issued by {by}, which the trusted root names{over}"
        )),
    );
    if root.ctlogs.is_empty() {
        proof.skip("sct", "the trusted root names no CT log");
    } else {
        let verdict = sct::verify(leaf.certificate(), &chain.issuer_key_hash, root);
        proof.check("sct", verdict);
    }
    if times.is_empty() {
        if evidence.bundle.is_none() {
            let why = "Rekor v2 leaves time to the timestamp in the bundle";
            return proof.skip("validity", why);
        }
        return proof.check(
            "validity",
            Err("nobody trusted says when it was signed".into()),
        );
    }
    let text = |seconds: u64| time::from_unix(seconds).unwrap_or_else(|| seconds.to_string());
    let outside = times.iter().find(|time| **time < from || to < **time);
    let unknown = times
        .iter()
        .find(|time| !chain.authority.valid_for.holds(**time));
    let verdict = match (outside, unknown) {
        (Some(time), _) => Err(format!(
            "signed at {}, and valid from {} to {}",
            text(*time),
            text(from),
            text(to)
        )),
        (None, Some(time)) => Err(format!(
            "signed at {}, when the authority did not count",
            text(*time)
        )),
        (None, None) => {
            // A timestamp and a promise mostly name the same second.
            let mut times: Vec<String> = times.iter().map(|time| text(*time)).collect();
            times.dedup();
            let lie = if times.len() == 1 { "lies" } else { "lie" };
            let times = times.join(" and ");
            Ok(format!(
                "{times} {lie} between {} and {}",
                text(from),
                text(to)
            ))
        }
    };
    proof.check("validity", verdict);
}

/// The first digits of a hash, for a line that a person reads.
pub fn short(hash: &Hash) -> String {
    format!("{}…", hex(&hash[..4]))
}

/// `1 entry`, `2 entries`.
pub fn entries(n: u64) -> String {
    counted(n, "entry", "entries")
}

fn counted(n: u64, one: &str, more: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        n => format!("{n} {more}"),
    }
}
