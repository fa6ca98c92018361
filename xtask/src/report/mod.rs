//! The whole ceremony of a signature as one page: who signed what, what every party
//! did for it, which links hold, and the pictures of both chains, of certificates and
//! of hashes.
//!
//! The page loads nothing and runs no script, and forbids itself both. Everything in
//! it that comes from outside has gone through [`html::Html`].

mod certificates;
mod html;
mod merkle;
mod timeline;

use crate::format::hex::hex;
use crate::proof::{Check, Evidence, NAMES, Proof};
use crate::tlog::merkle::Hash;
use html::{Element, Html, tag};

/// What the page forbids itself.
const FORBIDDEN: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// A signature, and what came of checking it.
pub struct Signature<'a> {
    /// What it was found under, where there are several.
    pub title: Option<&'a str>,
    /// Who signed what and when.
    pub sentence: String,
    /// What is known of it.
    pub evidence: &'a Evidence,
    /// What holds of that.
    pub proof: &'a Proof,
}

/// The ids and the depth of the headings of one article.
struct Names {
    number: usize,
    level: usize,
}

impl Names {
    /// An id that no other article has.
    fn id(&self, name: &str) -> String {
        format!("s{}-{name}", self.number)
    }

    /// A heading so many levels below that of the article.
    fn heading(&self, below: usize) -> Element {
        const LEVELS: [&str; 4] = ["h1", "h2", "h3", "h4"];
        tag(LEVELS[(self.level + below - 1).min(LEVELS.len() - 1)])
    }
}

/// The page about some signatures.
pub fn page(signatures: &[Signature<'_>]) -> String {
    let several = signatures.len() > 1;
    let heading = match signatures {
        [one] => one.sentence.clone(),
        all => format!("{} signatures", all.len()),
    };
    let head = tag("head")
        .with(tag("meta").attribute("charset", "utf-8"))
        .with(
            tag("meta")
                .attribute("http-equiv", "Content-Security-Policy")
                .attribute("content", FORBIDDEN),
        )
        .with(meta("viewport", "width=device-width, initial-scale=1"))
        .with(meta("color-scheme", "light dark"))
        .with(tag("title").with(heading.as_str()))
        .with(tag("style").with(Html::literal(include_str!("style.css"))));
    let mut header = tag("header").with(
        tag("p")
            .class("brand")
            .with("Sigstore workshop: the report of a signature"),
    );
    if several {
        header = header
            .with(tag("h1").with(heading))
            .with(contents(signatures));
    }
    let articles = signatures.iter().enumerate().map(|(at, signature)| {
        let names = Names {
            number: at + 1,
            level: if several { 2 } else { 1 },
        };
        article(&names, signature)
    });
    let footer = tag("footer").with(tag("p").with(
        "Written by cargo xtask report. This page holds all that it shows: it loads nothing and \
         runs no script. It says what was found when it was written; to check again, run the \
         command again.",
    ));
    let body = tag("body")
        .with(header)
        .with(tag("main").with_all(articles))
        .with(footer);
    let html = tag("html").attribute("lang", "en").with(head).with(body);
    let mut page = Html::literal("<!DOCTYPE html>\n");
    page.push(html);
    page.into_string()
}

fn meta(name: &'static str, content: &'static str) -> Element {
    tag("meta")
        .attribute("name", name)
        .attribute("content", content)
}

/// The table of contents.
fn contents(signatures: &[Signature<'_>]) -> Element {
    let lines = signatures.iter().enumerate().map(|(at, signature)| {
        let failed = signature.proof.failed().is_empty();
        let link = tag("a")
            .attribute("href", format!("#s{}", at + 1))
            .with(broken_where_long(&signature.sentence));
        tag("li").with(mark(Some(failed))).with(link)
    });
    tag("nav")
        .class("contents")
        .attribute("aria-label", "The signatures")
        .with(tag("ol").with_all(lines))
}

fn article(names: &Names, signature: &Signature<'_>) -> Element {
    let Signature {
        title,
        sentence,
        evidence,
        proof,
    } = signature;
    let id = names.id("title");
    let mut article = tag("article")
        .attribute("id", format!("s{}", names.number))
        .attribute("aria-labelledby", &id);
    if let Some(title) = title {
        article = article.with(
            tag("p")
                .class("found")
                .with("Found at ")
                .with(tag("code").with(*title)),
        );
    }
    article = article
        .with(
            names
                .heading(0)
                .attribute("id", id)
                .with(broken_where_long(sentence)),
        )
        .with(verdict(proof))
        .with(timeline::draw(names, evidence, proof));
    if let Some(leaf) = evidence.leaf() {
        article = article.with(certificates::chain(names, &leaf, proof));
    }
    if let Some(entry) = evidence.entry() {
        let checkpoint = proof.checkpoint.as_ref().map(|(_, checkpoint)| checkpoint);
        article = article.with(merkle::draw(names, entry, proof.path.as_ref(), checkpoint));
    }
    if let Some(leaf) = evidence.leaf() {
        article = article.with(certificates::extensions(names, &leaf));
    }
    article
        .with(unchecked(names, proof))
        .with(raw(names, evidence))
}

/// What all checks come to, and where it fails, why.
fn verdict(proof: &Proof) -> Element {
    let failed = proof.failed();
    if failed.is_empty() {
        let n = proof.checks.len();
        let holds = match n {
            0 => "Nothing could be checked".to_owned(),
            1 => "The one check holds".to_owned(),
            n => format!("All {n} checks hold"),
        };
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
    let reasons = proof.checks.iter().filter(|check| !check.ok).map(|check| {
        tag("li")
            .with(tag("b").with(check.name))
            .with(": ")
            .with(check.detail.as_str())
    });
    tag("div")
        .class("verdict fails")
        .with(
            tag("p")
                .with(mark(Some(false)))
                .with(tag("b").with(format!("NOT PROVED: {}", failed.join(", "))))
                .with("."),
        )
        .with(tag("ul").with_all(reasons))
}

/// What could not be checked, and why.
fn unchecked(names: &Names, proof: &Proof) -> Html {
    if proof.unchecked.is_empty() {
        return Html::default();
    }
    let rows = proof.unchecked.iter().map(|link| {
        tag("tr")
            .with(tag("th").attribute("scope", "row").with(link.name))
            .with(tag("td").with(about(link.name)))
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

/// What was read, to the letter.
fn raw(names: &Names, evidence: &Evidence) -> Html {
    let Some(entry) = evidence.entry() else {
        return Html::default();
    };
    let body = serde_json::to_string_pretty(&entry.body).unwrap_or_default();
    let mut section = section(names, "raw", "What was read").with(details(
        "The body of the log entry, as JSON with line breaks",
        &body,
    ));
    let checkpoint = entry
        .proof
        .as_ref()
        .and_then(|proof| proof.checkpoint.as_ref());
    if let Some(checkpoint) = checkpoint {
        section = section.with(details("The checkpoint, as the log signed it", checkpoint));
    }
    section.into()
}

fn details(summary: &'static str, text: &str) -> Element {
    tag("details")
        .with(tag("summary").with(summary))
        .with(tag("pre").with(text))
}

/// A section with its heading. Of several signatures each has one of that name, and
/// places to jump to that are called the same would help nobody: there only the
/// articles have names.
fn section(names: &Names, name: &str, heading: &'static str) -> Element {
    let id = names.id(name);
    let section = match names.level {
        1 => tag("section").attribute("aria-labelledby", &id),
        _ => tag("section"),
    };
    section.with(names.heading(1).attribute("id", id).with(heading))
}

/// Names and values.
fn facts<T: Into<Html>>(all: impl IntoIterator<Item = (&'static str, T)>) -> Element {
    let pairs = all.into_iter().map(|(name, value)| {
        tag("div")
            .with(tag("dt").with(name))
            .with(tag("dd").with(value))
    });
    tag("dl").class("facts").with_all(pairs)
}

/// A hash in full.
fn hash(hash: &Hash) -> Html {
    tag("code").with(hex(hash)).into()
}

/// Whether something holds, as a sign and as a word that is heard and not seen.
fn mark(holds: Option<bool>) -> Html {
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

/// What a check is about.
fn about(name: &str) -> &'static str {
    let known = NAMES.iter().find(|(known, _)| *known == name);
    known.map_or("", |(_, about)| about)
}

/// A check, as an item of a list.
fn item(check: &Check) -> Element {
    let class = if check.ok { "holds" } else { "fails" };
    tag("li").class(class).with(mark(Some(check.ok))).with(
        tag("div")
            .with(tag("b").with(check.name))
            .with(": ")
            .with(about(check.name))
            .with(tag("span").class("why").with(match check.ok {
                true => check.detail.clone(),
                false => format!("That does not hold: {}", check.detail),
            })),
    )
}

/// A sentence in which words that are too long for a line, as digests are, look like
/// what they are.
fn broken_where_long(sentence: &str) -> Html {
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

    #[test]
    fn a_sheet_that_ends_its_element_would_be_no_sheet() {
        assert!(!include_str!("style.css").contains(['<', '&']));
    }
}
