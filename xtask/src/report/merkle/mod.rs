//! The way from an entry to the root of the log, drawn: the leaf at the bottom, the
//! hashes that the proof brings beside it, and the checkpoint on top.

mod layout;
mod svg;

use super::elements::{Names, facts, hash, section};
use super::html::{Element, Html, tag};
use crate::entry::Entry;
use crate::format::hex::hex;
use crate::proof::InclusionPath;
use crate::tlog::checkpoint::Checkpoint;
use svg::svg;

/// Every hash of the path, as a table.
fn table(path: &InclusionPath) -> Element {
    let heads = ["Step", "Side", "Sibling, from the proof", "Both hash to"];
    let head = heads.map(|head| tag("th").attribute("scope", "col").with(head));
    let steps = path.climbs.iter().enumerate().map(|(step, climb)| {
        tag("tr")
            .with(
                tag("th")
                    .attribute("scope", "row")
                    .with((step + 1).to_string()),
            )
            .with(tag("td").with(if climb.left { "left" } else { "right" }))
            .with(tag("td").with(hash(&climb.sibling)))
            .with(tag("td").with(hash(&climb.parent)))
    });
    tag("table")
        .with(tag("caption").with("Every hash of the path, from the leaf up"))
        .with(tag("thead").with(tag("tr").with_all(head)))
        .with(tag("tbody").with_all(steps))
}

/// The section about the path.
pub(super) fn draw(
    names: &Names,
    entry: &Entry,
    path: Option<&InclusionPath>,
    checkpoint: Option<&Checkpoint>,
) -> Element {
    let section = section(names, "merkle", "From the entry to the root").with(tag("p").with(
        "The log is a tree of hashes. An entry is hashed to a leaf, and two neighbours are \
         always hashed together to the one above them. The proof brings the neighbours; \
         what was computed from them leads to the root, which no other entry could do.",
    ));
    match path {
        Some(path) => section.with(proved(names, path, checkpoint)),
        None => unproved(section, entry),
    }
}

/// A path that leads to the root: drawn, and every hash of it.
fn proved(names: &Names, path: &InclusionPath, checkpoint: Option<&Checkpoint>) -> Element {
    let root = path.climbs.last().map_or(&path.leaf, |climb| &climb.parent);
    let all = facts([
        ("leaf", hash(&path.leaf)),
        ("root", hash(root)),
        ("index in the tree", path.index.to_string().into()),
        ("size of the tree", crate::text::entries(path.size).into()),
    ]);
    let legend = tag("p").class("note").with(
        "Boxes with a thick edge are on the path and were computed here; those with a thin \
             edge came with the proof. Levels at which nothing is beside the path are left out.",
    );
    let beside = tag("div").with(all);
    let beside = match path.climbs.is_empty() {
        true => beside.with(tag("p").with(
            "The tree holds this entry alone, so its leaf is the root and no hash is \
                 needed to get there.",
        )),
        false => beside.with(legend).with(table(path)),
    };
    // On paper a short drawing stays on one page, which a long one could not.
    let short = if path.climbs.len() <= 12 {
        "figure short"
    } else {
        "figure long"
    };
    let figure = tag("div").class(short).with(svg(path, checkpoint, names));
    tag("div").class("beside").with(figure).with(beside)
}

/// What the proof claims, where it leads to no root.
fn unproved(section: Element, entry: &Entry) -> Element {
    let Some(proof) = &entry.proof else {
        return section.with(tag("p").with("There is no proof here, so there is no path to draw."));
    };
    let hashes = proof.hashes.iter().map(|one| tag("li").with(hash(one)));
    section
        .with(tag("p").class("broken").with(
            "✗ The proof does not lead to the root that it names, so there is no path to draw. \
             What it claims:",
        ))
        .with(facts([
            ("index in the tree", Html::from(proof.index.to_string())),
            ("size of the tree", crate::text::entries(proof.size).into()),
            ("root", tag("code").with(hex(&proof.root)).into()),
        ]))
        .with(tag("ol").with_all(hashes))
}
