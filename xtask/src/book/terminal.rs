//! A page of the book as lines for a terminal: what a reader of one target needs of it.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// A line of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PageLine {
    /// A heading, and whether it is that of the page or of a section.
    Heading(String, bool),
    /// Sentences, which may be wrapped.
    Prose(String),
    /// What stays as it is: a command behind its `$ `, or what is printed.
    Verbatim(String),
    /// An empty line.
    Blank,
}

/// The lines of a page, without the blocks that are marked as those of the `other` target,
/// and without the answers to its questions unless they are asked for.
pub(crate) fn lines(text: &str, other: &str, answers: bool) -> Vec<PageLine> {
    let mut page = Page {
        other,
        answers,
        ..Page::default()
    };
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        page.take(event);
    }
    page.lines.dedup_by(|a, b| *a == PageLine::Blank && a == b);
    page.lines
}

#[derive(Default)]
struct Page<'a> {
    other: &'a str,
    answers: bool,
    lines: Vec<PageLine>,
    /// The text of what has begun and not ended.
    text: String,
    /// The numbers of the lists that have begun; `None` where a list has none.
    lists: Vec<Option<u64>>,
    cells: Vec<String>,
    /// The words behind the fence of the block of code that has begun.
    code: Option<String>,
    in_answer: bool,
}

impl Page<'_> {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text.push_str(&text),
            Event::Code(code) => self.text.push_str(&format!("`{code}`")),
            Event::SoftBreak => self.text.push(' '),
            Event::HardBreak => self.flush(),
            Event::Html(html) => self.html(&html),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::CodeBlock(CodeBlockKind::Fenced(words)) => self.code = Some(words.into_string()),
            Tag::CodeBlock(CodeBlockKind::Indented) => self.code = Some(String::new()),
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => {
                self.flush();
                let depth = "  ".repeat(self.lists.len().saturating_sub(1));
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                self.text = depth + &mark;
            }
            Tag::Image { .. } => self.text.push_str("[Picture: "),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => {
                let text = std::mem::take(&mut self.text);
                let line = PageLine::Heading(text, level == HeadingLevel::H1);
                self.lines.extend([PageLine::Blank, line, PageLine::Blank]);
            }
            TagEnd::Paragraph => {
                self.flush();
                if self.lists.is_empty() {
                    self.push(PageLine::Blank);
                }
            }
            TagEnd::Item => self.flush(),
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
                self.push(PageLine::Blank);
            }
            TagEnd::Image => self.text.push(']'),
            TagEnd::CodeBlock => self.code_block(),
            TagEnd::TableCell => self.cells.push(std::mem::take(&mut self.text)),
            TagEnd::TableHead => self.cells.clear(),
            TagEnd::TableRow => {
                let cells: Vec<String> = self.cells.drain(..).collect();
                let cells: Vec<&String> = cells.iter().filter(|cell| !cell.is_empty()).collect();
                let (first, rest) = cells.split_first().map_or(("", &[][..]), |(a, b)| (a, b));
                let rest: Vec<&str> = rest.iter().map(|cell| cell.as_str()).collect();
                self.push(PageLine::Prose(format!("- {first}: {}", rest.join("; "))));
            }
            TagEnd::Table => self.push(PageLine::Blank),
            _ => {}
        }
    }

    /// A block for the other target goes, with the line that leads to it.
    fn code_block(&mut self) {
        let words = self.code.take().unwrap_or_default();
        let text = std::mem::take(&mut self.text);
        if words.split_whitespace().any(|word| word == self.other) {
            let leads = |line: &PageLine| matches!(line, PageLine::Prose(text) if text.starts_with("On ") && text.ends_with(':'));
            let before = self.lines.iter().rposition(|line| *line != PageLine::Blank);
            if let Some(at) = before.filter(|at| leads(&self.lines[*at])) {
                self.lines.truncate(at);
            }
            return;
        }
        for line in text.lines() {
            self.push(PageLine::Verbatim(format!("    {line}")));
        }
        self.push(PageLine::Blank);
    }

    /// The pages fold answers away, in the elements that HTML has for that.
    fn html(&mut self, html: &str) {
        if let Some(summary) = html.split("<summary>").nth(1) {
            let question = summary.split("</summary>").next().unwrap_or_default();
            let question = question.replace("<code>", "`").replace("</code>", "`");
            self.push(PageLine::Prose(format!("? {question}")));
            self.push(PageLine::Blank);
            self.in_answer = true;
        }
        if html.contains("</details>") {
            self.in_answer = false;
        }
    }

    /// Ends a line of sentences.
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        if !text.trim().is_empty() {
            self.push(PageLine::Prose(text));
        }
    }

    fn push(&mut self, line: PageLine) {
        if self.answers || !self.in_answer {
            self.lines.push(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# 1. One\n\nA `word` and a [link](a.md),\nwrapped.\n\n![a tree](t.svg)\n\n\
        On a cluster:\n\n```console cluster\n$ kubectl\n```\n\nOn the local target:\n\n```console local\n$ ls\nout\n```\n\n\
        1. first\n2. second\n   - deep\n\n| a | b |\n|---|---|\n| `x` | y |\n\n\
        <details><summary>Why <code>x</code>?</summary>\n\nBecause.\n\n</details>\n\nAfter.\n";

    fn shown(other: &str, answers: bool) -> Vec<String> {
        let lines = lines(PAGE, other, answers).into_iter();
        let text = |line| match line {
            PageLine::Heading(text, _) | PageLine::Prose(text) | PageLine::Verbatim(text) => text,
            PageLine::Blank => String::new(),
        };
        lines.map(text).filter(|text| !text.is_empty()).collect()
    }

    #[test]
    fn a_page_is_read_for_one_target() {
        let all = [
            "1. One",
            "A `word` and a link, wrapped.",
            "[Picture: a tree]",
            "On the local target:",
            "    $ ls",
            "    out",
            "1. first",
            "2. second",
            "  - deep",
            "- `x`: y",
            "? Why `x`?",
            "After.",
        ];
        assert_eq!(shown("cluster", false), all);
        let there = shown("local", true);
        assert!(there.contains(&"    $ kubectl".to_owned()), "{there:?}");
        assert!(!there.iter().any(|line| line.contains("$ ls")), "{there:?}");
        assert!(there.contains(&"Because.".to_owned()), "{there:?}");
    }
}
