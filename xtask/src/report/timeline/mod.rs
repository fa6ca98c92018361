//! What happened, in the order in which it did: from the token to the checkpoint.

mod known;

use super::elements::{Names, facts, item, mark, section};
use super::html::{Element, Html, tag};
use crate::proof::{Evidence, Link, Proof};
use known::{Known, certificate, checkpoint, entry, promised, signature, token};

/// A step of the ceremony: its name, what it is in plain words, and the checks that
/// are about it.
struct CeremonyStep {
    name: &'static str,
    explained: &'static str,
    checks: &'static [Link],
    facts: fn(&Known<'_>) -> Vec<(&'static str, Html)>,
}

const STEPS: [CeremonyStep; 6] = [
    CeremonyStep {
        name: "Token",
        explained: "The signer logs in at an OIDC issuer, which hands out a token that says \
                    who it is. The token itself is not kept; what it says is in the certificate.",
        checks: &[Link::Identity, Link::Issuer],
        facts: token,
    },
    CeremonyStep {
        name: "Certificate",
        explained: "Fulcio checks the token and writes the name beside a public key that is \
                    made for this one signature.",
        checks: &[Link::Chain, Link::Validity],
        facts: certificate,
    },
    CeremonyStep {
        name: "SCT",
        explained: "Before it hands out the certificate, Fulcio shows it to a public list. \
                    The list answers with a signed promise to show it to everybody: the signed \
                    certificate timestamp.",
        checks: &[Link::Sct, Link::CtInclusion],
        facts: promised,
    },
    CeremonyStep {
        name: "Signature",
        explained: "The signer signs with the private key and throws it away. A timestamp \
                    authority may see the signature and sign the time.",
        checks: &[Link::Artifact, Link::Signature, Link::Timestamp],
        facts: signature,
    },
    CeremonyStep {
        name: "Log entry",
        explained: "Rekor, the transparency log, writes down the signature, the certificate and \
                    the digest. Nothing that is in the log can be taken out unseen.",
        checks: &[Link::Entry, Link::Promise],
        facts: entry,
    },
    CeremonyStep {
        name: "Checkpoint",
        explained: "The log signs how many entries it holds and the one hash that follows from \
                    all of them. Whoever has this can tell whether the log ever changes its \
                    story.",
        checks: &[Link::Inclusion, Link::Checkpoint, Link::Consistency],
        facts: checkpoint,
    },
];

/// The section: the six steps at a glance, then each with all that is known of it.
pub(crate) fn draw(names: &Names, evidence: &Evidence, proof: &Proof) -> Element {
    let read = Known {
        proof,
        evidence,
        leaf: evidence.leaf(),
        recorded: evidence
            .entry()
            .and_then(|entry| entry.recorded().ok().flatten()),
    };
    let steps = STEPS.iter().enumerate();
    section(names, "ceremony", "The ceremony")
        .with(glance(names, proof))
        .with(
            tag("ol")
                .class("timeline")
                .with_all(steps.map(|(at, step)| step.draw(names, at, &read))),
        )
}

/// The id of a step, to which the glance leads.
fn id(names: &Names, at: usize) -> String {
    names.id(&format!("step-{}", at + 1))
}

/// The six steps in a line, each with a link to what is known of it.
fn glance(names: &Names, proof: &Proof) -> Element {
    let glances = STEPS.iter().enumerate().map(|(at, step)| {
        let link = tag("a")
            .attribute("href", format!("#{}", id(names, at)))
            .with(mark(step.verdict(proof)))
            .with(tag("span").with(step.name));
        tag("li").class(step.class(proof)).with(link)
    });
    let label = match names.level {
        1 => "The ceremony at a glance".to_owned(),
        _ => format!("The ceremony of signature {} at a glance", names.number),
    };
    tag("nav")
        .class("glance")
        .attribute("aria-label", label)
        .with(tag("ol").with_all(glances))
}

impl CeremonyStep {
    /// The step at its place, with all that is known of it.
    fn draw(&self, names: &Names, at: usize, read: &Known<'_>) -> Element {
        let proof = read.proof;
        let links = self.checks.iter().flat_map(|link| links(proof, *link));
        let mut body = tag("li")
            .class(self.class(proof))
            .attribute("id", id(names, at))
            .with(
                names
                    .heading(2)
                    .with(
                        tag("span")
                            .class("number")
                            .attribute("aria-hidden", "true")
                            .with((at + 1).to_string()),
                    )
                    .with(self.name),
            )
            .with(tag("p").with(self.explained));
        let known = (self.facts)(read);
        if !known.is_empty() {
            body = body.with(facts(known));
        }
        let links: Vec<Element> = links.collect();
        match links.is_empty() {
            true => body,
            false => body.with(tag("ul").class("checks").with_all(links)),
        }
    }

    /// Whether its checks hold; `None` where there were none.
    fn verdict(&self, proof: &Proof) -> Option<bool> {
        let mut checks = proof
            .checks
            .iter()
            .filter(|check| self.checks.contains(&check.link))
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

/// The check of a link, or why it was not checked.
fn links(proof: &Proof, link: Link) -> impl Iterator<Item = Element> + '_ {
    let checked = proof.checks.iter().filter(move |check| check.link == link);
    let unchecked = proof
        .unchecked
        .iter()
        .filter(move |unchecked| unchecked.link == link);
    checked.map(item).chain(unchecked.map(move |unchecked| {
        tag("li").class("open").with(mark(None)).with(
            tag("div")
                .with(tag("b").with(link.name()))
                .with(": ")
                .with(link.about())
                .with(
                    tag("span")
                        .class("why")
                        .with("not checked: ")
                        .with(unchecked.detail.as_str()),
                ),
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_belongs_to_one_step() {
        let mut shown: Vec<Link> = STEPS.iter().flat_map(|step| step.checks).copied().collect();
        shown.sort_unstable();
        assert_eq!(shown, Link::ALL);
    }
}
