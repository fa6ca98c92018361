//! The certificates: from the leaf up to the root that is trusted, and what the leaf
//! says in its extensions.

use super::elements::{Names, facts, section};
use super::html::{Element, Html, tag};
use crate::format::certificate::Leaf;
use crate::format::hashing::sha256_hash;
use crate::format::hex::hex;
use crate::format::key::PublicKey;
use crate::proof::{Link, Proof};

/// Extensions that any certificate may have (RFC 5280, section 4.2; RFC 6962, section
/// 3.3).
const COMMON: [(&str, &str); 7] = [
    ("2.5.29.14", "Subject Key Identifier"),
    ("2.5.29.15", "Key Usage"),
    ("2.5.29.17", "Subject Alternative Name"),
    ("2.5.29.19", "Basic Constraints"),
    ("2.5.29.35", "Authority Key Identifier"),
    ("2.5.29.37", "Extended Key Usage"),
    ("1.3.6.1.4.1.11129.2.4.2", "Signed Certificate Timestamps"),
];

/// The section with the chain, drawn.
pub(crate) fn chain(names: &Names, leaf: &Leaf, proof: &Proof) -> Element {
    let above = proof.chain.iter().filter(|der| *der != leaf.der());
    let above: Vec<Result<Leaf, String>> = above
        .map(|der| Leaf::from_der(der).map_err(|error| error.to_string()))
        .collect();
    let last = above.len();
    let mut cards = vec![card("Leaf: the signer", Some(leaf))];
    for (at, certificate) in above.iter().enumerate() {
        let name = match at + 1 {
            n if n == last => "Root: the trusted root names it",
            _ => "Intermediate",
        };
        cards.push(card(name, certificate.as_ref().ok()));
    }
    let failed = proof
        .checks
        .iter()
        .find(|check| check.link == Link::Chain && !check.ok);
    if let Some(failed) = failed {
        cards.push(
            tag("li").class("fails").with(
                tag("p")
                    .with(tag("b").with("✗ Here the chain ends: "))
                    .with(failed.detail.as_str()),
            ),
        );
    }
    section(names, "chain", "The chain of certificates")
        .with(tag("p").with(
            "Each certificate is signed by the one below it here. The last one is trusted because \
             the trusted root, a file that the verifier already had, names it.",
        ))
        .with(tag("ol").class("chain").with_all(cards))
}

/// A certificate; without one, that it cannot be read.
fn card(name: &'static str, certificate: Option<&Leaf>) -> Element {
    let card = tag("li").with(tag("p").class("name").with(tag("b").with(name)));
    let Some(leaf) = certificate else {
        return card.with(tag("p").with("This certificate cannot be read."));
    };
    let tbs = &leaf.certificate().tbs_certificate;
    let subject = match tbs.subject.to_string() {
        // Fulcio writes the name of the signer as an alternative name only.
        empty if empty.is_empty() => leaf.identities().join(", "),
        subject => subject,
    };
    let key = match PublicKey::of(leaf.certificate()) {
        Ok(key) => key.name().to_owned(),
        Err(_) => tbs.subject_public_key_info.algorithm.oid.to_string(),
    };
    let (from, to) = leaf.validity_text();
    let code = |text: String| -> Html { tag("code").with(text).into() };
    card.with(facts([
        ("subject", Html::from(subject)),
        ("issuer", tbs.issuer.to_string().into()),
        ("serial", code(hex(tbs.serial_number.as_bytes()))),
        ("valid", format!("{from} to {to}").into()),
        ("key", key.into()),
        ("sha256", code(hex(&sha256_hash(&[leaf.der()])))),
    ]))
}

/// The section with every extension of the leaf.
pub(crate) fn extensions(names: &Names, leaf: &Leaf) -> Element {
    let known = leaf.extensions();
    let all = leaf.certificate().tbs_certificate.extensions.iter();
    let rows = all.flatten().map(|extension| {
        let oid = extension.extn_id.to_string();
        let bytes = extension.extn_value.as_bytes();
        let fulcio = known.iter().find(|(known, _, _)| *known == oid);
        let common = COMMON.iter().find(|(known, _)| *known == oid);
        let (name, value) = match (fulcio, common) {
            (Some((_, name, value)), _) => (*name, Html::from(value.as_str())),
            (None, Some((_, name))) if *name == "Subject Alternative Name" => {
                (*name, leaf.identities().join(", ").into())
            }
            (None, common) => {
                let name = common.map_or("unknown to this reader", |(_, name)| name);
                let mut value = Html::from("DER: ");
                value.push(tag("code").with(hex(bytes)));
                (name, value)
            }
        };
        let head = tag("th")
            .attribute("scope", "row")
            .with(name)
            .with(tag("code").class("oid").with(oid));
        tag("tr").with(head).with(tag("td").with(value))
    });
    let heads = ["Extension, by OID", "Value"];
    let heads = heads.map(|head| tag("th").attribute("scope", "col").with(head));
    section(names, "extensions", "What the certificate says")
        .with(tag("p").with(
            "Fulcio copies what the token says into extensions of the certificate. Each has a \
             number of its own, the OID; those that begin with 1.3.6.1.4.1.57264 are Fulcio’s.",
        ))
        .with(
            tag("table")
                .class("extensions")
                .with(tag("thead").with(tag("tr").with_all(heads)))
                .with(tag("tbody").with_all(rows)),
        )
}
