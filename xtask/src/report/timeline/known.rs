//! What is known of each step of the ceremony, as names and values.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::entry::body::{EntryBody, Verifier};
use crate::entry::{Entry, Version};
use crate::format::certificate::Leaf;
use crate::format::hex::hex;
use crate::format::key::{KeyKind, PublicKey, Unproved};
use crate::proof::{Evidence, Proof, sct};
use crate::report::elements::hash;
use crate::report::html::{Html, tag};
use crate::time;

/// What the steps are read from.
pub(super) struct Known<'a> {
    pub proof: &'a Proof,
    pub evidence: &'a Evidence,
    pub leaf: Option<Leaf>,
    pub recorded: Option<EntryBody>,
}

pub(super) fn token(known: &Known<'_>) -> Vec<(&'static str, Html)> {
    let Some(leaf) = &known.leaf else {
        return vec![("identity", "none: it was signed with a key".into())];
    };
    let claim = |wanted: &str| {
        let mut all = leaf.extensions().into_iter();
        all.find_map(|(oid, _, value)| (oid == wanted).then_some(value))
    };
    let identities = leaf.identities().join(", ");
    let mut all = vec![("identity", identities.into())];
    let issuer = leaf.issuer_claim().unwrap_or_else(|| "not named".into());
    all.push(("issuer", issuer.into()));
    if let Some(subject) = claim("1.3.6.1.4.1.57264.1.24") {
        all.push(("subject", subject.into()));
    }
    all
}

pub(super) fn certificate(known: &Known<'_>) -> Vec<(&'static str, Html)> {
    let Some(leaf) = &known.leaf else {
        return vec![("certificate", "none: it was signed with a key".into())];
    };
    let (from, to) = leaf.validity_text();
    let (start, end) = leaf.validity();
    let lifetime = time::short(std::time::Duration::from_secs(end.saturating_sub(start)));
    let issuer = leaf.certificate().tbs_certificate.issuer.to_string();
    vec![
        ("issued by", issuer.into()),
        ("valid from", from.into()),
        ("valid until", format!("{to} ({lifetime})").into()),
    ]
}

pub(super) fn promised(known: &Known<'_>) -> Vec<(&'static str, Html)> {
    let Some(leaf) = &known.leaf else {
        return Vec::new();
    };
    let scts = match sct::embedded(leaf.certificate()) {
        Ok(scts) => scts,
        Err(why) => return vec![("timestamps", why.into())],
    };
    let facts = scts.iter().flat_map(|sct| {
        let seconds = sct.timestamp / 1000;
        let when = time::from_unix(seconds).unwrap_or_else(|| seconds.to_string());
        [
            ("CT log", hash(&sct.log_id.key_id)),
            ("promised at", when.into()),
        ]
    });
    facts.collect()
}

pub(super) fn signature(known: &Known<'_>) -> Vec<(&'static str, Html)> {
    let key = match (&known.leaf, &known.recorded) {
        (Some(leaf), _) => PublicKey::of(leaf.certificate()),
        (None, Some(recorded)) => match &recorded.verifier {
            Verifier::Key(der) => PublicKey::from_der(der),
            Verifier::Certificate(_) => Err("a certificate that cannot be read".into()),
        },
        (None, None) => Err(Unproved::from("unknown")),
    };
    let mut all: Vec<(&'static str, Html)> = vec![(
        "algorithm",
        match &key {
            Ok(key) if key.kind() == KeyKind::Ed25519 => key.name().into(),
            Ok(key) => format!("{} with {}", key.name(), key.hashing().name()).into(),
            Err(Unproved::Wrong(why) | Unproved::NotRead(why)) => why.as_str().into(),
        },
    )];
    let bundle = known.evidence.bundle.as_ref();
    let subjects = bundle.map(|bundle| bundle.content.subjects());
    for subject in subjects.unwrap_or_default() {
        all.push(("digest of the artifact", tag("code").with(subject).into()));
    }
    let made = bundle.map(|bundle| bundle.content.signature());
    let recorded = known.recorded.as_ref();
    let made = made.or(recorded.map(|recorded| recorded.signature.as_slice()));
    if let Some(made) = made {
        let text = BASE64_STANDARD.encode(made);
        all.push(("signature", tag("code").with(text).into()));
    }
    if let Some(time) = known.proof.signed_at.and_then(time::from_unix) {
        all.push(("signed at", time.into()));
    }
    all
}

pub(super) fn entry(known: &Known<'_>) -> Vec<(&'static str, Html)> {
    let Some(entry) = known.evidence.entry() else {
        return vec![("entry", "the bundle holds none".into())];
    };
    let Entry {
        rekor,
        index,
        uuid,
        integrated,
        ..
    } = entry;
    let mut all: Vec<(&'static str, Html)> = vec![
        ("log", format!("Rekor {}", rekor.name()).into()),
        ("index", index.to_string().into()),
        ("kind", entry.kind().into()),
    ];
    if let Some(uuid) = uuid {
        all.push(("UUID", tag("code").with(uuid.as_str()).into()));
    }
    if let Some(recorded) = &known.recorded {
        let of = match recorded.of_payload {
            true => "digest of the payload",
            false => "digest of the message",
        };
        all.push((of, tag("code").with(recorded.digest_text()).into()));
    }
    let none = match rekor {
        Version::V1 => "not recorded",
        Version::V2 => "not recorded: Rekor v2 leaves time to the timestamp",
    };
    let integrated = integrated.and_then(time::from_unix);
    let integrated = integrated.as_deref().unwrap_or(none);
    all.push(("taken in at", integrated.into()));
    all
}

pub(super) fn checkpoint(known: &Known<'_>) -> Vec<(&'static str, Html)> {
    let Some((id, checkpoint)) = &known.proof.checkpoint else {
        return vec![(
            "checkpoint",
            "none that the log is known to have signed".into(),
        )];
    };
    vec![
        ("origin", checkpoint.origin.as_str().into()),
        ("log id", tag("code").with(hex(id)).into()),
        ("size", crate::text::entries(checkpoint.size).into()),
        ("root", hash(&checkpoint.root)),
    ]
}
