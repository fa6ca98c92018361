//! What all checks of a signature come to, and what was not checked.

use super::elements::{Names, mark, section};
use super::html::{Element, Html, tag};
use crate::proof::{Link, Proof};

/// What all checks come to, and where it fails, why.
pub(super) fn verdict(proof: &Proof) -> Element {
    let failed = proof.failed();
    if failed.is_empty() {
        let n = proof.checks.len();
        let holds = match n {
            0 => "Nothing could be checked".to_owned(),
            1 => "The one check holds".to_owned(),
            n => format!("All {n} checks hold"),
        };
        // What was not checked is said beside what holds: silence would look like a check.
        let left = match proof.unchecked.len() {
            0 => String::new(),
            1 => ", and 1 link was not checked".to_owned(),
            n => format!(", and {n} links were not checked"),
        };
        let (class, holds_at_all) = match n {
            0 => ("verdict", None),
            _ => ("verdict holds", Some(true)),
        };
        let line = tag("p")
            .with(mark(holds_at_all))
            .with(tag("b").with(holds))
            .with(format!("{left}."));
        return tag("div").class(class).with(line);
    }
    let names: Vec<_> = failed.into_iter().map(Link::name).collect();
    let reasons = proof.checks.iter().filter(|check| !check.ok).map(|check| {
        tag("li")
            .with(tag("b").with(check.link.name()))
            .with(": ")
            .with(check.detail.as_str())
    });
    tag("div")
        .class("verdict fails")
        .with(
            tag("p")
                .with(mark(Some(false)))
                .with(tag("b").with(format!("NOT PROVED: {}", names.join(", "))))
                .with("."),
        )
        .with(tag("ul").with_all(reasons))
}

/// What could not be checked, and why.
pub(super) fn unchecked(names: &Names, proof: &Proof) -> Html {
    if proof.unchecked.is_empty() {
        return Html::default();
    }
    let rows = proof.unchecked.iter().map(|link| {
        tag("tr")
            .with(tag("th").attribute("scope", "row").with(link.link.name()))
            .with(tag("td").with(link.link.about()))
            .with(tag("td").with(link.detail.as_str()))
    });
    let heads = ["Link", "What it is about", "Why it was not checked"];
    let heads = heads.map(|head| tag("th").attribute("scope", "col").with(head));
    section(names, "unchecked", "What was not checked")
        .with(tag("p").with(
            "A link that was not checked is neither right nor wrong: what it needs was not given.",
        ))
        .with(
            tag("table")
                .with(tag("thead").with(tag("tr").with_all(heads)))
                .with(tag("tbody").with_all(rows)),
        )
        .into()
}

/// What of the trusted root the checks rest on, and when it counts.
pub(super) fn counted(names: &Names, proof: &Proof) -> Html {
    if proof.counted.is_empty() {
        return Html::default();
    }
    let rows = proof.counted.iter().map(|counted| {
        let link = counted.link.name();
        tag("tr")
            .with(tag("th").attribute("scope", "row").with(link))
            .with(tag("td").with(counted.name.as_str()))
            .with(tag("td").with(counted.since.as_deref().unwrap_or("never")))
            .with(tag("td").with(counted.until.as_deref().unwrap_or("in use")))
    });
    let heads = ["Link", "What it rests on", "Since", "Until"];
    let heads = heads.map(|head| tag("th").attribute("scope", "col").with(head));
    section(names, "counted", "What counted of the trusted root")
        .with(
            tag("table")
                .with(tag("thead").with(tag("tr").with_all(heads)))
                .with(tag("tbody").with_all(rows)),
        )
        .into()
}
