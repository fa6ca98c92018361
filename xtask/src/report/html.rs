//! Markup that text from outside cannot leave: whatever becomes [`Html`] was escaped
//! on its way in, and only words of this program name elements and attributes.
//!
//! What comes out is HTML and well-formed XML at once.

use std::fmt::Display;

/// The elements that have no content and no end (HTML, section 13.1.2).
const VOID: [&str; 2] = ["br", "meta"];

/// A piece of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Html(String);

/// An element that is being put together.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    name: &'static str,
    attributes: String,
    content: Html,
}

/// An element without attributes and content.
pub(crate) fn tag(name: &'static str) -> Element {
    Element {
        name,
        attributes: String::new(),
        content: Html::default(),
    }
}

impl Html {
    /// A text of this program that is to stand in the page as it is.
    pub(crate) fn literal(text: &'static str) -> Html {
        Html(text.to_owned())
    }

    /// Adds what follows.
    pub(crate) fn push(&mut self, next: impl Into<Html>) {
        self.0.push_str(&next.into().0);
    }

    /// The markup.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl From<&str> for Html {
    fn from(text: &str) -> Html {
        Html(escape(text))
    }
}

impl From<String> for Html {
    fn from(text: String) -> Html {
        Html(escape(&text))
    }
}

impl From<Element> for Html {
    fn from(element: Element) -> Html {
        let Element {
            name,
            attributes,
            content: Html(content),
        } = element;
        Html(if VOID.contains(&name) {
            format!("<{name}{attributes}/>\n")
        } else {
            // One line for each element where white space means nothing, for those who
            // read the source.
            let end = match name {
                "a" | "b" | "code" | "span" | "text" | "pre" | "summary" => "",
                _ => "\n",
            };
            format!("<{name}{attributes}>{content}</{name}>{end}")
        })
    }
}

impl Element {
    /// Adds an attribute.
    pub(crate) fn attribute(mut self, name: &'static str, value: impl Display) -> Element {
        let value = escape(&value.to_string());
        self.attributes.push_str(&format!(" {name}=\"{value}\""));
        self
    }

    /// Adds a class.
    pub(crate) fn class(self, class: &'static str) -> Element {
        self.attribute("class", class)
    }

    /// Adds content.
    pub(crate) fn with(mut self, content: impl Into<Html>) -> Element {
        self.content.push(content);
        self
    }

    /// Adds all of these as content.
    pub(crate) fn with_all<T: Into<Html>>(self, all: impl IntoIterator<Item = T>) -> Element {
        all.into_iter().fold(self, Element::with)
    }
}

/// A text as it can stand between tags and in quotes. Characters that could change
/// the order in which others are read, or that XML does not know, are shown as
/// replaced.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(c),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                escaped.push(char::REPLACEMENT_CHARACTER);
            }
            '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            c if c.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a browser reads of an escaped text.
    fn read(html: &str) -> String {
        html.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&")
    }

    fn without_entities(html: &str) -> String {
        ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"]
            .iter()
            .fold(html.to_owned(), |text, entity| text.replace(entity, ""))
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_place(text in any::<String>()) {
            let Html(html) = Html::from(text.as_str());
            let bare = without_entities(&html);
            prop_assert!(!bare.contains(['<', '>', '&', '"', '\'']), "{html}");
            prop_assert_eq!(read(&html).chars().count(), text.chars().count());
        }

        #[test]
        fn what_is_harmless_is_read_as_it_was(text in "[ -~äöü✓\n\t]*") {
            let Html(html) = Html::from(text.as_str());
            prop_assert_eq!(read(&html), text);
        }

        #[test]
        fn no_text_leaves_an_attribute(text in any::<String>()) {
            let Html(html) = tag("p").attribute("title", &text).into();
            let inside = html.strip_prefix("<p title=\"").and_then(|html| html.strip_suffix("\"></p>\n"));
            let bare = without_entities(inside.unwrap_or("<"));
            prop_assert!(!bare.contains(['<', '>', '&', '"', '\'']), "{html}");
        }
    }

    #[test]
    fn what_turns_the_reading_around_is_seen() {
        let Html(html) = Html::from("a\u{202e}b\u{0}c\u{1b}[2J");
        assert_eq!(html, "a\u{fffd}b\u{fffd}c\u{fffd}[2J");
    }

    #[test]
    fn elements_nest() {
        let Html(html) = tag("p")
            .class("a")
            .with("1 < 2")
            .with(tag("br"))
            .with_all([tag("b").with("x"), tag("b").with("y")])
            .into();
        assert_eq!(html, "<p class=\"a\">1 &lt; 2<br/>\n<b>x</b><b>y</b></p>\n");
    }
}
