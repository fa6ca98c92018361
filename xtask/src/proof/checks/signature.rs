//! The links between an artifact, the signature and the log entry about it.

use crate::bundle::Content;
use crate::entry::Entry;
use crate::entry::body::{EntryBody, Verifier};
use crate::format::certificate::Leaf;
use crate::format::key::{Hashing, PublicKey, Unproved};
use crate::proof::{Evidence, Link, Proof, Subject, wrong};
use crate::trust::root::TrustedRoot;

/// What the entry records, where there is one of a known kind.
pub(crate) type RecordedBody = Result<Option<EntryBody>, String>;

/// Compares what was signed with the artifact that was asked about.
pub(crate) fn of_artifact(proof: &mut Proof, evidence: &Evidence) {
    let Some(subject) = &evidence.subject else {
        return proof.skip(Link::Artifact, "no artifact was given to compare with");
    };
    let Some(bundle) = &evidence.bundle else {
        return proof.skip(
            Link::Artifact,
            "the log alone does not say what an envelope holds",
        );
    };
    let named = bundle.content.subjects();
    // A file is hashed as the message was, which may be longer than SHA-256.
    let hashings = bundle.content.hashings().into_iter();
    let digests: Vec<String> = hashings.map(|hashing| subject.digest_by(hashing)).collect();
    let same = digests.iter().find(|digest| named.contains(digest));
    let verdict = if let Some(digest) = same {
        let what = match bundle.content {
            Content::Message { .. } => "the digest of what was signed",
            _ => "named in the statement that was signed",
        };
        Ok(format!("{digest} is {what}"))
    } else if named.is_empty() {
        wrong("what was signed names no digest")
    } else {
        let signed = named.join(", ");
        let name = &subject.name;
        let digest = digests.first().unwrap_or(&subject.digest);
        wrong(format!("{signed} was signed, and {name} has {digest}"))
    };
    proof.check(Link::Artifact, verdict);
}

/// Who must have signed.
pub(crate) struct Signer<'a> {
    /// The certificate that comes with the signature.
    pub(crate) leaf: Option<&'a Leaf>,
    /// The key that is expected instead of one.
    pub(crate) expected: Option<&'a PublicKey>,
}

impl Signer<'_> {
    /// The key that must have made the signature, and whose it is: that of the leaf
    /// certificate, the one that is expected, else the one that the entry holds.
    fn key(&self, recorded: &RecordedBody) -> Result<(PublicKey, &'static str), Unproved> {
        let key = match (self.leaf, self.expected, recorded) {
            (Some(_), Some(_), _) => {
                return Err("a key is expected, and it comes with a leaf certificate".into());
            }
            (Some(leaf), None, _) => {
                let key = PublicKey::of(leaf.certificate())?;
                return Ok((key, "the key of the leaf certificate"));
            }
            (None, Some(key), _) => return Ok((key.clone(), "the key that is expected")),
            (None, None, Ok(Some(recorded))) => match &recorded.verifier {
                Verifier::Key(der) => PublicKey::from_der(der)?,
                Verifier::Certificate(der) => {
                    let leaf = Leaf::from_der(der).map_err(|error| error.to_string())?;
                    PublicKey::of(leaf.certificate())?
                }
            },
            (None, None, Ok(None)) => {
                return Err("there is neither a certificate nor a key".into());
            }
            (None, None, Err(why)) => return Err(why.clone().into()),
        };
        Ok((key, "the key in the entry"))
    }

    /// Whether an entry names this signer.
    fn is(&self, recorded: &Verifier) -> bool {
        match (recorded, self.leaf, self.expected) {
            (Verifier::Certificate(der), Some(leaf), _) => der == leaf.der(),
            (Verifier::Key(der), None, Some(key)) => PublicKey::from_der(der).as_ref() == Ok(key),
            (Verifier::Key(_), None, None) => true,
            _ => false,
        }
    }
}

/// Checks that the signer made the signature, of which the bundle holds all, else the
/// entry a part.
pub(crate) fn of_signature(
    proof: &mut Proof,
    evidence: &Evidence,
    signer: &Signer<'_>,
    recorded: &RecordedBody,
) {
    let link = Link::Signature;
    let message = match (&evidence.bundle, recorded) {
        (Some(bundle), _) => signed(evidence, &bundle.content, recorded),
        (None, Err(why)) => return proof.check(link, wrong(why)),
        (None, Ok(None)) => {
            return proof.skip(link, "this program does not read entries of this kind");
        }
        (None, Ok(Some(recorded))) => SignedData::Digest(recorded.digest.clone()),
    };
    let (key, whose) = match signer.key(recorded) {
        Err(why) => return proof.check(link, Err(why)),
        Ok(key) => key,
    };
    let entry = recorded.as_ref().ok().and_then(Option::as_ref);
    let signature = match (&evidence.bundle, entry) {
        (Some(bundle), _) => bundle.content.signature(),
        (None, entry) => entry.map_or(&[][..], |entry| &entry.signature),
    };
    // Some algorithms sign the message and not its digest, and then the message is needed.
    let verdict = match (message, &evidence.bundle) {
        (SignedData::Message(message, hashing), _) => {
            let hashing = hashing.unwrap_or_else(|| key.hashing());
            key.verify_hashed(hashing, &message, signature)
        }
        (SignedData::Digest(digest), Some(_)) if key.signs_digests() => {
            key.verify_digest(&digest, signature)
        }
        (SignedData::Digest(_), Some(_)) => {
            let kind = key.name();
            let why = match &evidence.subject {
                None => format!("an {kind} key signs the file itself, which was not given"),
                Some(Subject { bytes: None, .. }) => {
                    let why = "signs the file itself, which is too large to be read";
                    let why = Unproved::NotRead(format!("an {kind} key {why}"));
                    return proof.check(link, Err(why));
                }
                Some(_) => format!("an {kind} key signs the file itself, and this is another"),
            };
            return proof.skip(link, why);
        }
        (SignedData::Digest(digest), None)
            if key.signs_digests() && entry.is_some_and(|entry| !entry.of_payload) =>
        {
            key.verify_digest(&digest, signature)
        }
        (SignedData::Digest(_), None) => {
            let why = "the log does not hold what was signed; the bundle does";
            return proof.skip(link, why);
        }
    };
    let verdict = verdict.map(|()| made(whose, &key));
    proof.check(link, verdict.map_err(Unproved::from));
}

/// What a signature is over.
enum SignedData {
    /// The whole message, and its hash algorithm where the bundle names one.
    Message(Vec<u8>, Option<Hashing>),
    /// Only the digest.
    Digest(Vec<u8>),
}

/// What the signature in a bundle is over.
fn signed(evidence: &Evidence, content: &Content, recorded: &RecordedBody) -> SignedData {
    if let Content::Message {
        hashing, digest, ..
    } = content
    {
        let subject = evidence.subject.as_ref();
        let bytes = subject.and_then(|subject| subject.bytes.as_deref());
        return match bytes {
            // Whether these are the bytes is the check of the artifact.
            Some(bytes) if hashing.digest(bytes) == *digest => {
                SignedData::Message(bytes.to_vec(), Some(*hashing))
            }
            _ => SignedData::Digest(digest.clone()),
        };
    }
    // The log says how it was hashed where it hashed the same.
    let hashing = match recorded {
        Ok(Some(recorded)) if !recorded.of_payload => Some(recorded.hashing),
        _ => None,
    };
    SignedData::Message(content.message().unwrap_or_default(), hashing)
}

fn made(whose: &str, key: &PublicKey) -> String {
    format!("made with {whose} ({})", key.name())
}

/// The digest of a bundle's content, made as the entry says that its own was made; `None`
/// where the entry cannot be about such content.
fn digest_as_recorded(content: &Content, recorded: &EntryBody) -> Option<Vec<u8>> {
    match (content, recorded.of_payload) {
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
    }
}

/// Compares an entry with the bundle that brought it, or that it was looked up for.
pub(crate) fn of_entry(
    proof: &mut Proof,
    evidence: &Evidence,
    signer: &Signer<'_>,
    recorded: &RecordedBody,
    root: &TrustedRoot,
) {
    let Some(bundle) = &evidence.bundle else {
        return;
    };
    if evidence.entry().is_none() {
        // Private instances may have no log, and then timestamps alone name the time.
        if root.tlogs.is_empty() {
            return proof.skip(Link::Entry, "the trusted root names no log");
        }
        return proof.check(Link::Entry, wrong("the bundle holds no log entry"));
    }
    if let (Some(from_log), Some(in_bundle)) = (&evidence.from_log, &bundle.entry)
        && from_log.canonicalized_body != in_bundle.canonicalized_body
    {
        let why = format!("the log shows another entry at index {}", from_log.index);
        return proof.check(Link::Entry, wrong(why));
    }
    let recorded = match recorded {
        Err(why) => return proof.check(Link::Entry, wrong(why)),
        Ok(None) => {
            let kind = evidence.entry().map(Entry::kind).unwrap_or_default();
            let why = format!("this program does not read entries of the kind {kind}");
            return proof.check(Link::Entry, Err(Unproved::NotRead(why)));
        }
        Ok(Some(recorded)) => recorded,
    };
    let content = &bundle.content;
    let digest = digest_as_recorded(content, recorded);
    let of = if recorded.of_payload {
        "payload"
    } else {
        "message"
    };
    // The entry holds one signature; a bundle with the certificate of another would still
    // verify against it.
    let verdict = if digest.as_ref() != Some(&recorded.digest) {
        wrong(format!(
            "it holds the digest of another {of}: {}",
            recorded.digest_text()
        ))
    } else if recorded.signature != content.signature() {
        wrong("it holds another signature")
    } else if !signer.is(&recorded.verifier) {
        wrong("it names another signer")
    } else {
        Ok(format!(
            "it holds this signature, its signer and the digest of the {of}"
        ))
    };
    proof.check(Link::Entry, verdict);
}
