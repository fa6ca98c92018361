//! The whole ceremony of a signature as one page: who signed what, what every party
//! did for it, which links hold, and the pictures of both chains, of certificates and
//! of hashes.
//!
//! The page loads nothing and runs no script, and forbids itself both. Everything in
//! it that comes from outside has gone through [`html::Html`].

mod certificates;
mod elements;
mod html;
mod merkle;
mod timeline;
mod verdict;

use crate::proof::{Evidence, Proof};
use elements::{Names, broken_where_long, details, mark, meta, section};
use html::{Element, Html, tag};
use verdict::{counted, unchecked, verdict};

/// What the page forbids itself.
const FORBIDDEN: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// A signature, and what came of checking it: what an article of the page is about.
pub struct Article<'a> {
    /// The name it was found under, where there are several.
    pub title: Option<&'a str>,
    /// Who signed what and when.
    pub sentence: String,
    /// What is known of it.
    pub evidence: &'a Evidence,
    /// Which of that is proved.
    pub proof: &'a Proof,
}

/// What every page of this kind says at its top.
const BRAND: &str = "Sigstore workshop: the report of a signature";

/// Whether a text is such a page.
pub(crate) fn is_page(text: &[u8]) -> bool {
    text.starts_with(b"<!DOCTYPE html>")
        && std::str::from_utf8(text).is_ok_and(|text| text.contains(BRAND))
}

/// The page about some signatures.
pub fn page(signatures: &[Article<'_>]) -> String {
    let several = signatures.len() > 1;
    let heading = match signatures {
        [one] => one.sentence.clone(),
        all => format!("{} signatures", all.len()),
    };
    // The policy comes before everything that it forbids.
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
    let mut header = tag("header").with(tag("p").class("brand").with(BRAND));
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

/// The table of contents.
fn contents(signatures: &[Article<'_>]) -> Element {
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

fn article(names: &Names, signature: &Article<'_>) -> Element {
    let Article {
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
    // A part of which nothing is known is left out, not shown empty.
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
        .with(counted(names, proof))
        .with(unchecked(names, proof))
        .with(raw(names, evidence))
}

/// What was read, unchanged.
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

#[cfg(test)]
mod tests {
    #[test]
    fn a_sheet_that_ends_its_element_would_be_no_sheet() {
        assert!(!include_str!("style.css").contains(['<', '&']));
    }
}
