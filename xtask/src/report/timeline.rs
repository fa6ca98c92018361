//! What happened, in the order in which it did: from the token to the checkpoint.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::html::{Element, Html, tag};
use super::{Names, about, facts, hash, item, mark, section};
use crate::entry::body::{Recorded, Verifier};
use crate::entry::{Entry, Version};
use crate::format::certificate::Leaf;
use crate::format::hex::hex;
use crate::format::key::PublicKey;
use crate::proof::{Evidence, Proof, sct};
use crate::time;

/// A step of the ceremony: its name, what it is in plain words, and the checks that
/// are about it.
struct Step {
    name: &'static str,
    explained: &'static str,
    checks: &'static [&'static str],
    facts: fn(&Seen<'_>) -> Vec<(&'static str, Html)>,
}

/// What the steps are read from.
struct Seen<'a> {
    proof: &'a Proof,
    evidence: &'a Evidence,
    leaf: Option<Leaf>,
    recorded: Option<Recorded>,
}

const STEPS: [Step; 6] = [
    Step {
        name: "Token",
        explained: "The signer logs in at an OIDC issuer, which hands out a token that says \
                    who it is. The token itself is not kept; what it says is in the certificate.",
        checks: &["identity", "issuer"],
        facts: token,
    },
    Step {
        name: "Certificate",
        explained: "Fulcio checks the token and writes the name beside a public key that is \
                    made for this one signature.",
        checks: &["chain", "validity"],
        facts: certificate,
    },
    Step {
        name: "SCT",
        explained: "Before it hands out the certificate, Fulcio shows it to a public list. \
                    The list answers with a signed promise to show it to everybody: the signed \
                    certificate timestamp.",
        checks: &["sct"],
        facts: promised,
    },
    Step {
        name: "Signature",
        explained: "The signer signs with the private key and throws it away. A timestamp \
                    authority may see the signature and sign the time.",
        checks: &["artifact", "signature", "timestamp"],
        facts: signature,
    },
    Step {
        name: "Log entry",
        explained: "Rekor, the transparency log, writes down the signature, the certificate and \
                    the digest. Nothing that is in the log can be taken out unseen.",
        checks: &["entry", "promise"],
        facts: entry,
    },
    Step {
        name: "Checkpoint",
        explained: "The log signs how many entries it holds and the one hash that follows from \
                    all of them. Whoever has this can tell whether the log ever changes its \
                    story.",
        checks: &["inclusion", "checkpoint", "consistency"],
        facts: checkpoint,
    },
];

/// The section: the six steps at a glance, then each with all that is known of it.
pub fn draw(names: &Names, evidence: &Evidence, proof: &Proof) -> Element {
    let seen = Seen {
        proof,
        evidence,
        leaf: evidence.leaf(),
        recorded: evidence
            .entry()
            .and_then(|entry| entry.recorded().ok().flatten()),
    };
    let id = |at: usize| names.id(&format!("step-{}", at + 1));
    let glances = STEPS.iter().enumerate().map(|(at, step)| {
        let link = tag("a")
            .attribute("href", format!("#{}", id(at)))
            .with(mark(step.verdict(proof)))
            .with(tag("span").with(step.name));
        tag("li").class(step.class(proof)).with(link)
    });
    let label = match names.level {
        1 => "The ceremony at a glance".to_owned(),
        _ => format!("The ceremony of signature {} at a glance", names.number),
    };
    let glance = tag("nav")
        .class("glance")
        .attribute("aria-label", label)
        .with(tag("ol").with_all(glances));
    let steps = STEPS.iter().enumerate().map(|(at, step)| {
        let links = step.checks.iter().flat_map(|name| links(proof, name));
        let mut body = tag("li")
            .class(step.class(proof))
            .attribute("id", id(at))
            .with(
                names
                    .heading(2)
                    .with(
                        tag("span")
                            .class("number")
                            .attribute("aria-hidden", "true")
                            .with((at + 1).to_string()),
                    )
                    .with(step.name),
            )
            .with(tag("p").with(step.explained));
        let known = (step.facts)(&seen);
        if !known.is_empty() {
            body = body.with(facts(known));
        }
        let links: Vec<Element> = links.collect();
        match links.is_empty() {
            true => body,
            false => body.with(tag("ul").class("checks").with_all(links)),
        }
    });
    section(names, "ceremony", "The ceremony")
        .with(glance)
        .with(tag("ol").class("timeline").with_all(steps))
}

impl Step {
    /// Whether its checks hold; `None` where there were none.
    fn verdict(&self, proof: &Proof) -> Option<bool> {
        let mut checks = proof
            .checks
            .iter()
            .filter(|check| self.checks.contains(&check.name))
            .peekable();
        checks.peek()?;
        Some(checks.all(|check| check.ok))
    }

    fn class(&self, proof: &Proof) -> &'static str {
        match self.verdict(proof) {
            Some(true) => "holds",
            Some(false) => "fails",
            None => "open",
        }
    }
}

/// The checks of a name, and where it was none, why not.
fn links<'a>(proof: &'a Proof, name: &'a str) -> impl Iterator<Item = Element> + 'a {
    let checked = proof.checks.iter().filter(move |check| check.name == name);
    let unchecked = proof.unchecked.iter().filter(move |link| link.name == name);
    checked.map(item).chain(unchecked.map(|link| {
        tag("li").class("open").with(mark(None)).with(
            tag("div")
                .with(tag("b").with(link.name))
                .with(": ")
                .with(about(link.name))
                .with(
                    tag("span")
                        .class("why")
                        .with("not checked: ")
                        .with(link.detail.as_str()),
                ),
        )
    }))
}

fn token(seen: &Seen<'_>) -> Vec<(&'static str, Html)> {
    let Some(leaf) = &seen.leaf else {
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

fn certificate(seen: &Seen<'_>) -> Vec<(&'static str, Html)> {
    let Some(leaf) = &seen.leaf else {
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

fn promised(seen: &Seen<'_>) -> Vec<(&'static str, Html)> {
    let Some(leaf) = &seen.leaf else {
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

fn signature(seen: &Seen<'_>) -> Vec<(&'static str, Html)> {
    let key = match (&seen.leaf, &seen.recorded) {
        (Some(leaf), _) => PublicKey::of(leaf.certificate()),
        (None, Some(recorded)) => match &recorded.verifier {
            Verifier::Key(der) => PublicKey::from_der(der),
            Verifier::Certificate(_) => Err("a certificate that cannot be read".into()),
        },
        (None, None) => Err("unknown".into()),
    };
    let mut all: Vec<(&'static str, Html)> = vec![(
        "algorithm",
        match &key {
            Ok(key @ PublicKey::Ed25519(_)) => key.name().into(),
            Ok(key) => format!("{} with {}", key.name(), key.hashing().name()).into(),
            Err(why) => why.as_str().into(),
        },
    )];
    let bundle = seen.evidence.bundle.as_ref();
    let subjects = bundle.map(|bundle| bundle.content.subjects());
    for subject in subjects.unwrap_or_default() {
        all.push(("digest of the artifact", tag("code").with(subject).into()));
    }
    let made = bundle.map(|bundle| bundle.content.signature());
    let recorded = seen.recorded.as_ref();
    let made = made.or(recorded.map(|recorded| recorded.signature.as_slice()));
    if let Some(made) = made {
        let text = BASE64_STANDARD.encode(made);
        all.push(("signature", tag("code").with(text).into()));
    }
    if let Some(time) = seen.proof.signed_at.and_then(time::from_unix) {
        all.push(("signed at", time.into()));
    }
    all
}

fn entry(seen: &Seen<'_>) -> Vec<(&'static str, Html)> {
    let Some(entry) = seen.evidence.entry() else {
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
    if let Some(recorded) = &seen.recorded {
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

fn checkpoint(seen: &Seen<'_>) -> Vec<(&'static str, Html)> {
    let Some((id, checkpoint)) = &seen.proof.checkpoint else {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::NAMES;

    #[test]
    fn each_check_belongs_to_one_step() {
        let mut shown: Vec<&str> = STEPS.iter().flat_map(|step| step.checks).copied().collect();
        let mut known = NAMES.map(|(name, _)| name);
        shown.sort_unstable();
        known.sort_unstable();
        assert_eq!(shown, known);
    }
}
