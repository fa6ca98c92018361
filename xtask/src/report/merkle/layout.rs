//! The layout of the drawing: boxes, the path, and what joins it.

use crate::proof::InclusionPath;
use crate::text::short;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::merkle::Hash;

/// How wide the drawing is: a small telephone shows it without making it smaller.
pub(super) const WIDTH: u32 = 340;
const MARGIN: u32 = 6;
/// A node of the tree; three of them, and two gaps, are as wide as the drawing.
const NODE: (u32, u32) = (96, 40);
const COLUMN: u32 = 116;
/// From one level to the next.
const LEVEL: u32 = 66;
/// The boxes at both ends, as wide as the drawing.
const END: (u32, u32) = (WIDTH - 2 * MARGIN, 46);
const GAP: u32 = LEVEL - NODE.1;
/// How many letters such a box holds in one line.
const LETTERS: usize = 44;

/// What a box stands for, which says how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The entry, at the bottom.
    Entry,
    /// A node on the path, which was computed.
    Path,
    /// A node beside it, which the proof brought.
    Sibling,
    /// The checkpoint that the log signed.
    Checkpoint,
    /// A checkpoint that does not hold.
    Broken,
}

/// A box with two lines of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub kind: Kind,
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
    pub name: String,
    pub value: String,
}

/// The drawing as coordinates, before it becomes SVG.
pub(super) struct Layout {
    pub height: u32,
    pub nodes: Vec<Node>,
    /// From a sibling up and over to the path: corners.
    pub joins: Vec<[(u32, u32); 3]>,
    /// The path itself: from a height up to another, and whether that holds.
    pub rises: Vec<(u32, u32, bool)>,
}

pub(super) const MIDDLE: u32 = WIDTH / 2;

pub(super) fn layout(path: &InclusionPath, checkpoint: Option<&Checkpoint>) -> Layout {
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

    // A sibling is drawn beside the node of its own level, so the last level, the root, has none.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tlog::merkle::PathNode;

    fn path(sides: &[bool]) -> InclusionPath {
        let climb = |(step, left): (usize, &bool)| PathNode {
            sibling: [step as u8; 32],
            left: *left,
            parent: [0x80 | step as u8; 32],
        };
        InclusionPath {
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
