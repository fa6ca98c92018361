//! The drawing itself, and the same in words.

use super::layout::{Kind, MIDDLE, Node, WIDTH, layout};
use crate::proof::InclusionPath;
use crate::report::elements::Names;
use crate::report::html::{Element, tag};
use crate::text::short;
use crate::tlog::checkpoint::Checkpoint;

/// The drawing.
pub(super) fn svg(path: &InclusionPath, checkpoint: Option<&Checkpoint>, names: &Names) -> Element {
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
        svg = svg.with(drawn(node));
    }
    svg
}

/// A box with its two lines.
fn drawn(node: &Node) -> Element {
    let middle = node.x + node.width / 2;
    let line = |class, y, text: &str| {
        tag("text")
            .class(class)
            .attribute("x", middle)
            .attribute("y", y)
            .with(text)
    };
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
        .with(line("value", node.y + node.height / 2 + 13, &node.value))
}

/// The drawing in words, for readers who cannot see it.
fn described(path: &InclusionPath) -> String {
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
