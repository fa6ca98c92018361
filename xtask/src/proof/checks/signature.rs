//! The links between an artifact, the signature and the log entry about it.

use crate::bundle::Content;
use crate::entry::Entry;
use crate::entry::body::{Recorded, Verifier};
use crate::format::certificate::Leaf;
use crate::format::hex::hex;
use crate::format::key::PublicKey;
use crate::proof::{Evidence, Proof};

/// What the entry records, where there is one of a known kind.
pub type Record = Result<Option<Recorded>, String>;

/// Compares what was signed with the artifact that was asked about.
pub fn of_artifact(proof: &mut Proof, evidence: &Evidence) {
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
fn signer(leaf: Option<&Leaf>, recorded: &Record) -> Result<PublicKey, String> {
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

pub fn of_signature(
    proof: &mut Proof,
    evidence: &Evidence,
    leaf: Option<&Leaf>,
    recorded: &Record,
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
                    "this program does not read entries of this kind",
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
pub fn of_entry(proof: &mut Proof, evidence: &Evidence, leaf: Option<&Leaf>, recorded: &Record) {
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
