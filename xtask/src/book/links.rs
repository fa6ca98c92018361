//! The links of a page: where they are in its text, and how they read from a page
//! that lies elsewhere.

use std::collections::BTreeSet;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag};

/// How a link or a picture begins in HTML.
const ATTRIBUTES: [&str; 2] = [" href=\"", " src=\""];

/// Calls `new` with every target of a link or picture, and puts what it answers in
/// its place. All else stays, code above all.
pub(super) fn rewrite(text: &str, mut new: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (start, end) in targets(text) {
        let target = &text[start..end];
        out += &text[copied..start];
        out += &new(target).unwrap_or_else(|| target.to_owned());
        copied = end;
    }
    out + &text[copied..]
}

/// Where the targets are in a text, in their order. One that is written with escapes is
/// left out: as it stands it is not the path of a file.
fn targets(text: &str) -> BTreeSet<(usize, usize)> {
    let mut targets = BTreeSet::new();
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                // What the parser borrows lies in the text, behind the link or where a
                // reference is defined.
                if let CowStr::Borrowed(target) = dest_url {
                    targets.extend(place(text, target));
                }
            }
            Event::Html(_) | Event::InlineHtml(_) => {
                let html = &text[range];
                for attribute in ATTRIBUTES {
                    let values = html.split(attribute).skip(1);
                    let values = values.filter_map(|rest| rest.split_once('"'));
                    targets.extend(values.filter_map(|(value, _)| place(text, value)));
                }
            }
            _ => {}
        }
    }
    targets
}

/// Where a part of a text begins and ends in it.
fn place(text: &str, part: &str) -> Option<(usize, usize)> {
    let start = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let end = start + part.len();
    (text.get(start..end) == Some(part)).then_some((start, end))
}

/// The path that a target means on a page, both from the root of the repository and
/// with `/` between the names; `None` where it leads out of the repository.
pub(super) fn resolve(page: &str, target: &str) -> Option<String> {
    if target.starts_with('/') || target.contains(':') {
        return None;
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// How a page names another file, both from the same root.
pub(super) fn relative(page: &str, file: &str) -> String {
    let from: Vec<&str> = page.split('/').collect();
    let from = &from[..from.len() - 1];
    let to: Vec<&str> = file.split('/').collect();
    let dirs = &to[..to.len() - 1];
    let shared = from.iter().zip(dirs).take_while(|(a, b)| a == b).count();
    let mut parts = vec![".."; from.len() - shared];
    parts.extend(&to[shared..]);
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn links_and_pictures_are_found_and_code_is_not() {
        let text = "[`a`](one.md#x) and ![b](two.svg), <img src=\"three.svg\" alt=\"](four\"/>\n\
                    ````console\n[c](five)\n```\n[d](six)\n````\n[open](seven\n[e](https://e.example/)\n";
        let mut seen = Vec::new();
        let out = rewrite(text, |target| {
            seen.push(target.to_owned());
            (target == "two.svg").then(|| "../2.svg".to_owned())
        });
        assert_eq!(
            seen,
            ["one.md#x", "two.svg", "three.svg", "https://e.example/"]
        );
        assert_eq!(out, text.replace("(two.svg)", "(../2.svg)"));
    }

    /// A reference is replaced where it is defined, once; an empty target has no text.
    #[test]
    fn references_and_tables_are_read() {
        let text =
            "[a][x] and [b][x]\n\n| c |\n|---|\n| [`c`](three) |\n\n[]() `[d](four)`\n\n[x]: two\n";
        let mut seen = Vec::new();
        let out = rewrite(text, |target| {
            seen.push(target.to_owned());
            Some(target.to_uppercase())
        });
        seen.retain(|target| !target.is_empty());
        assert_eq!(seen, ["three", "two"]);
        assert_eq!(out, text.replace("three", "THREE").replace("two", "TWO"));
    }

    #[test]
    fn a_target_is_a_path_of_the_repository_or_none() {
        let resolve = |target| resolve("docs/a.md", target);
        assert_eq!(resolve("b.md").as_deref(), Some("docs/b.md"));
        assert_eq!(resolve("../deploy/").as_deref(), Some("deploy"));
        assert_eq!(resolve("./x/../y").as_deref(), Some("docs/y"));
        assert_eq!(resolve("../../etc/passwd"), None);
        assert_eq!(resolve("/etc/passwd"), None);
        assert_eq!(resolve("https://e.example/"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// From wherever a page lies, its name for a file leads to that file.
        #[test]
        fn what_is_named_is_found(page in "[ab](/[ab]){0,3}", file in "[ab](/[ab]){0,3}") {
            let found = resolve(&page, &relative(&page, &file));
            prop_assert_eq!(found, Some(file));
        }

        /// Whatever a page holds, all that is not a link stays.
        #[test]
        fn a_page_without_changes_stays(text in "[\\]\\[()\"`a \n]{0,60}") {
            prop_assert_eq!(rewrite(&text, |_| None), text);
        }
    }
}
