//! The pieces that every part of the page is made of.

use super::html::{Element, Html, tag};
use crate::format::hex::hex;
use crate::proof::Check;
use crate::tlog::merkle::Hash;

/// The ids and the depth of the headings of one article.
pub(super) struct Names {
    pub number: usize,
    pub level: usize,
}

impl Names {
    /// An id that no other article has.
    pub(crate) fn id(&self, name: &str) -> String {
        format!("s{}-{name}", self.number)
    }

    /// A heading so many levels below that of the article.
    pub(crate) fn heading(&self, below: usize) -> Element {
        const LEVELS: [&str; 4] = ["h1", "h2", "h3", "h4"];
        tag(LEVELS[(self.level + below - 1).min(LEVELS.len() - 1)])
    }
}

pub(super) fn meta(name: &'static str, content: &'static str) -> Element {
    tag("meta")
        .attribute("name", name)
        .attribute("content", content)
}

pub(super) fn details(summary: &'static str, text: &str) -> Element {
    tag("details")
        .with(tag("summary").with(summary))
        .with(tag("pre").with(text))
}

/// A section with its heading. On a page about several signatures each article has a
/// section of this name, so there only the articles get an id to jump to.
pub(super) fn section(names: &Names, name: &str, heading: &'static str) -> Element {
    let id = names.id(name);
    let section = match names.level {
        1 => tag("section").attribute("aria-labelledby", &id),
        _ => tag("section"),
    };
    section.with(names.heading(1).attribute("id", id).with(heading))
}

/// Names and values.
pub(super) fn facts<T: Into<Html>>(all: impl IntoIterator<Item = (&'static str, T)>) -> Element {
    let pairs = all.into_iter().map(|(name, value)| {
        tag("div")
            .with(tag("dt").with(name))
            .with(tag("dd").with(value))
    });
    tag("dl").class("facts").with_all(pairs)
}

/// A hash in full.
pub(super) fn hash(hash: &Hash) -> Html {
    tag("code").with(hex(hash)).into()
}

/// Whether something holds, as a sign and as a word that is heard and not seen.
pub(super) fn mark(holds: Option<bool>) -> Html {
    let (class, sign, word) = match holds {
        Some(true) => ("mark holds", "✓", "holds: "),
        Some(false) => ("mark fails", "✗", "failed: "),
        None => ("mark open", "–", "not checked: "),
    };
    let mut mark = Html::default();
    mark.push(
        tag("span")
            .class(class)
            .attribute("aria-hidden", "true")
            .with(sign),
    );
    mark.push(tag("span").class("heard").with(word));
    mark
}

/// A check, as an item of a list.
pub(super) fn item(check: &Check) -> Element {
    let class = if check.ok { "holds" } else { "fails" };
    tag("li").class(class).with(mark(Some(check.ok))).with(
        tag("div")
            .with(tag("b").with(check.link.name()))
            .with(": ")
            .with(check.link.about())
            .with(tag("span").class("why").with(match check.ok {
                true => check.detail.clone(),
                false => format!("That does not hold: {}", check.detail),
            })),
    )
}

/// A sentence in which words too long for a line, such as digests, are set as code.
pub(super) fn broken_where_long(sentence: &str) -> Html {
    const LONG: usize = 40;
    let mut html = Html::default();
    for (at, word) in sentence.split(' ').enumerate() {
        if at > 0 {
            html.push(" ");
        }
        match word.chars().count() >= LONG {
            true => html.push(tag("code").with(word)),
            false => html.push(word),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_code() {
        let html = broken_where_long(&format!("a <b> {}", "c".repeat(40))).into_string();
        let word = "c".repeat(40);
        assert_eq!(html, format!("a &lt;b&gt; <code>{word}</code>"));
    }
}
