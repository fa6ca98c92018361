//! The way from an entry to the root of the log, drawn: the leaf at the bottom, the
//! hashes that the proof brings beside it, and the checkpoint on top.

use super::html::{Element, Html, tag};
use super::{Names, facts, hash, section};
use crate::entry::Entry;
use crate::format::hex::hex;
use crate::proof::Path;
use crate::text::short;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::merkle::Hash;

/// How wide the drawing is: a small telephone shows it without making it smaller.
const WIDTH: u32 = 340;
const MARGIN: u32 = 6;
/// A node of the tree; three of them, and two gaps, are as wide as the drawing.
const NODE: (u32, u32) = (96, 40);
const COLUMN: u32 = 116;
/// From one level to the next.
const LEVEL: u32 = 66;
/// The boxes at both ends, as wide as the drawing.
const END: (u32, u32) = (WIDTH - 2 * MARGIN, 46);
const GAP: u32 = LEVEL - NODE.1;
/// As many letters as such a box holds in one line.
const LETTERS: usize = 44;

/// What a box stands for, which says how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The entry, at the bottom.
    Entry,
    /// A node on the path, which was computed.
    Path,
    /// A node beside it, which the proof brought.
    Sibling,
    /// The checkpoint that the log signed.
    Checkpoint,
    /// The same, where it does not hold.
    Broken,
}

/// A box with two lines of text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    kind: Kind,
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    name: String,
    value: String,
}

/// A drawing before it is one: what stands where.
struct Layout {
    height: u32,
    nodes: Vec<Node>,
    /// From a sibling up and over to the path: corners.
    joins: Vec<[(u32, u32); 3]>,
    /// The path itself: from a height up to another, and whether that holds.
    rises: Vec<(u32, u32, bool)>,
}

const MIDDLE: u32 = WIDTH / 2;

fn layout(path: &Path, checkpoint: Option<&Checkpoint>) -> Layout {
    let steps = path.climbs.len() as u32;
    let top_of = |level: u32| MARGIN + END.1 + GAP + (steps - level) * LEVEL;
    let mut nodes = Vec::new();
    let mut joins = Vec::new();
    let mut rises = Vec::new();

    let (kind, name, value) = match checkpoint {
        Some(checkpoint) => (
            Kind::Checkpoint,
            clipped(&format!("checkpoint of {}", checkpoint.origin)),
            format!("root {}", short(&checkpoint.root)),
        ),
        None => (
            Kind::Broken,
            "✗ no checkpoint that holds".into(),
            "nobody trusted signed this root".into(),
        ),
    };
    nodes.push(end(kind, MARGIN, name, value));
    rises.push((top_of(steps), MARGIN + END.1, checkpoint.is_some()));

    for level in 0..=steps {
        let hash = match level.checked_sub(1) {
            None => &path.leaf,
            Some(below) => &path.climbs[below as usize].parent,
        };
        let name = match level {
            0 if steps == 0 => "leaf and root".into(),
            0 => "leaf".into(),
            level if level == steps => "root".into(),
            level => format!("node {level}"),
        };
        nodes.push(node(Kind::Path, 1, top_of(level), name, hash));
        let Some(climb) = path.climbs.get(level as usize) else {
            continue;
        };
        let column = if climb.left { 0 } else { 2 };
        let name = format!("sibling {}", level + 1);
        let sibling = node(Kind::Sibling, column, top_of(level), name, &climb.sibling);
        let from = sibling.x + sibling.width / 2;
        let corner = sibling.y - GAP / 2;
        joins.push([(from, sibling.y), (from, corner), (MIDDLE, corner)]);
        nodes.push(sibling);
        rises.push((top_of(level), top_of(level + 1) + NODE.1, true));
    }

    let bottom = top_of(0) + NODE.1 + GAP;
    rises.push((bottom, top_of(0) + NODE.1, true));
    let name = format!("entry {}", path.index);
    let value = format!("of a tree of {}", crate::text::entries(path.size));
    nodes.push(end(Kind::Entry, bottom, name, value));
    Layout {
        height: bottom + END.1 + MARGIN,
        nodes,
        joins,
        rises,
    }
}

fn node(kind: Kind, column: u32, y: u32, name: String, hash: &Hash) -> Node {
    Node {
        kind,
        x: MARGIN + column * COLUMN,
        y,
        width: NODE.0,
        height: NODE.1,
        name,
        value: short(hash),
    }
}

fn end(kind: Kind, y: u32, name: String, value: String) -> Node {
    Node {
        kind,
        x: MARGIN,
        y,
        width: END.0,
        height: END.1,
        name,
        value,
    }
}

/// A text that fits into a box.
fn clipped(text: &str) -> String {
    if text.chars().count() <= LETTERS {
        return text.to_owned();
    }
    text.chars().take(LETTERS - 1).chain(['…']).collect()
}

/// The drawing.
fn svg(path: &Path, checkpoint: Option<&Checkpoint>, names: &Names) -> Element {
    let layout = layout(path, checkpoint);
    let (title, desc) = (names.id("merkle-title"), names.id("merkle-desc"));
    let mut svg = tag("svg")
        .class("merkle")
        .attribute("viewBox", format!("0 0 {WIDTH} {}", layout.height))
        .attribute("role", "img")
        .attribute("aria-labelledby", format!("{title} {desc}"))
        .with(
            tag("title")
                .attribute("id", title)
                .with("The path from the entry to the checkpoint"),
        )
        .with(tag("desc").attribute("id", desc).with(described(path)));
    for corners in &layout.joins {
        let [(x, y), (_, up), (over, _)] = corners;
        svg = svg.with(
            tag("path")
                .class("join")
                .attribute("d", format!("M {x} {y} V {up} H {over}")),
        );
    }
    for (from, to, holds) in &layout.rises {
        svg = svg.with(
            tag("path")
                .class(if *holds { "rise" } else { "rise broken" })
                .attribute("d", format!("M {MIDDLE} {from} V {to}")),
        );
    }
    for node in &layout.nodes {
        let middle = node.x + node.width / 2;
        let line = |class, y, text: &str| {
            tag("text")
                .class(class)
                .attribute("x", middle)
                .attribute("y", y)
                .with(text)
        };
        svg = svg.with(
            tag("g")
                .class(match node.kind {
                    Kind::Entry => "node entry",
                    Kind::Path => "node path",
                    Kind::Sibling => "node sibling",
                    Kind::Checkpoint => "node checkpoint",
                    Kind::Broken => "node broken",
                })
                .with(
                    tag("rect")
                        .attribute("x", node.x)
                        .attribute("y", node.y)
                        .attribute("width", node.width)
                        .attribute("height", node.height)
                        .attribute("rx", 6),
                )
                .with(line("name", node.y + node.height / 2 - 5, &node.name))
                .with(line("value", node.y + node.height / 2 + 13, &node.value)),
        );
    }
    svg
}

/// The drawing in words, for who does not see it.
fn described(path: &Path) -> String {
    let steps = path.climbs.iter().enumerate().map(|(step, climb)| {
        let side = if climb.left { "left" } else { "right" };
        format!(
            "step {}: with {} on the {side} to {}",
            step + 1,
            short(&climb.sibling),
            short(&climb.parent)
        )
    });
    let mut all = vec![format!(
        "From the bottom to the top: entry {}, its leaf {}",
        path.index,
        short(&path.leaf)
    )];
    all.extend(steps);
    all.push("then the checkpoint, which names the root. All hashes stand in the table".into());
    format!("{}.", all.join("; "))
}

/// The same in full, as a table.
fn table(path: &Path) -> Element {
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
pub fn draw(
    names: &Names,
    entry: &Entry,
    path: Option<&Path>,
    checkpoint: Option<&Checkpoint>,
) -> Element {
    let section = section(names, "merkle", "From the entry to the root").with(tag("p").with(
        "The log is a tree of hashes. An entry is hashed to a leaf, and two neighbours are \
         always hashed together to the one above them. The proof brings the neighbours; \
         what was computed from them leads to the root, which no other entry could do.",
    ));
    if let Some(path) = path {
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
        return section.with(tag("div").class("beside").with(figure).with(beside));
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tlog::merkle::Climb;

    fn path(sides: &[bool]) -> Path {
        let climb = |(step, left): (usize, &bool)| Climb {
            sibling: [step as u8; 32],
            left: *left,
            parent: [0x80 | step as u8; 32],
        };
        Path {
            index: u64::MAX - 1,
            size: u64::MAX,
            leaf: [0xee; 32],
            climbs: sides.iter().enumerate().map(climb).collect(),
        }
    }

    fn overlap(a: &Node, b: &Node) -> bool {
        let apart = a.x + a.width <= b.x
            || b.x + b.width <= a.x
            || a.y + a.height <= b.y
            || b.y + b.height <= a.y;
        !apart
    }

    proptest! {
        #[test]
        fn nothing_overlaps_and_all_is_inside(sides in proptest::collection::vec(any::<bool>(), 0..=64)) {
            let layout = layout(&path(&sides), None);
            prop_assert_eq!(layout.nodes.len(), 3 + 2 * sides.len());
            for (at, node) in layout.nodes.iter().enumerate() {
                prop_assert!(node.x + node.width + MARGIN <= WIDTH, "{node:?}");
                prop_assert!(node.y + node.height + MARGIN <= layout.height, "{node:?}");
                for other in &layout.nodes[at + 1..] {
                    prop_assert!(!overlap(node, other), "{node:?} {other:?}");
                }
            }
            for (from, to, _) in &layout.rises {
                prop_assert!(to < from && *from <= layout.height);
            }
        }

        #[test]
        fn a_sibling_stands_on_its_side_beside_the_path(sides in proptest::collection::vec(any::<bool>(), 0..=40)) {
            let layout = layout(&path(&sides), None);
            let of = |kind| layout.nodes.iter().filter(move |node| node.kind == kind);
            let on_path: Vec<&Node> = of(Kind::Path).collect();
            for ((sibling, beside), left) in of(Kind::Sibling).zip(&on_path).zip(&sides) {
                prop_assert_eq!(sibling.y, beside.y);
                prop_assert_eq!(sibling.x < beside.x, *left);
            }
            // From the leaf up, so each is higher than the one before.
            prop_assert!(on_path.windows(2).all(|pair| pair[1].y < pair[0].y));
        }
    }

    /// A letter of the fonts in the drawing is at most about this wide.
    #[test]
    fn every_text_fits_its_box() {
        const LETTER: f64 = 7.4;
        let text = format!(
            "{}\n4\n{}\n\n— x AAAAAAAA\n",
            "long ".repeat(40),
            "A".repeat(43) + "="
        );
        let checkpoint = Checkpoint::read(&text).unwrap();
        let layout = layout(&path(&[true; 40]), Some(&checkpoint));
        for node in &layout.nodes {
            for text in [&node.name, &node.value] {
                let width = text.chars().count() as f64 * LETTER;
                assert!(width <= f64::from(node.width), "{node:?}");
            }
        }
    }

    #[test]
    fn the_only_entry_is_the_root() {
        let layout = layout(&path(&[]), None);
        let names: Vec<&str> = layout.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "✗ no checkpoint that holds",
                "leaf and root",
                "entry 18446744073709551614"
            ]
        );
    }
}
