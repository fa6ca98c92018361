//! What a terminal shows otherwise than a pipe: lines that end between words, digests cut
//! short, titles in bold, comments dim, and a pause for whoever reads.

use std::io::{BufRead, IsTerminal};
use std::path::Path;
use std::sync::LazyLock;

use anyhow::Result;
use console::style;
use regex_lite::Regex;

use super::Ui;
use crate::exec::interrupt;
use crate::fail::broken;
use crate::text::quote;

/// A digest, as images and files are named by it, and as a tag that is made of it.
static DIGEST: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(sha(?:256|384|512)[:-][0-9a-f]{8})[0-9a-f]{56,}\b").ok());

impl Ui {
    /// How wide the terminal on standard output is; `None` where it is none.
    pub(crate) fn columns(&self) -> Option<usize> {
        let terminal = console::Term::stdout();
        terminal.is_term().then(|| terminal.size().1.into())
    }

    /// Sentences, wrapped between words where the terminal is narrow.
    pub(crate) fn tell(&self, text: impl AsRef<str>) -> bool {
        self.say(folded(text.as_ref(), self.columns(), 0))
    }

    /// A line of a table of two columns, of which the second begins at this one. On a
    /// terminal it is wrapped there, and its digests are short unless all is asked for.
    pub(crate) fn say_row(&self, line: impl AsRef<str>, second: usize) -> bool {
        let line = self.short(line.as_ref());
        let plain = console::strip_ansi_codes(&line);
        let is_row = plain.chars().nth(second - 1) == Some(' ');
        self.say(folded(
            &line,
            self.columns(),
            if is_row { second } else { 0 },
        ))
    }

    /// A text that nobody types, in which digests are short on a terminal.
    pub(crate) fn short(&self, text: &str) -> String {
        match self.columns().filter(|_| !self.style.verbose) {
            Some(_) => shortened(text),
            None => text.to_owned(),
        }
    }

    /// The name of a part of what is shown.
    pub(crate) fn title(&self, text: &str) {
        self.say(style(text).bold().to_string());
    }

    /// Lines for a shell, in which comments stand back.
    pub(crate) fn script(&self, text: &str) {
        for line in text.lines() {
            let is_comment = line.starts_with('#');
            let line = style(line);
            self.say(if is_comment { line.dim() } else { line }.to_string());
        }
    }

    /// A remark that is wrapped between words, where the terminal of standard error is
    /// narrow.
    pub(super) fn note_sentence(&self, text: String) {
        let terminal = console::Term::stderr();
        let columns = terminal.is_term().then(|| terminal.size().1.into());
        self.note(folded(&text, columns, 2));
    }

    /// A command that runs below what was typed, as short as a reader wants it.
    pub(super) fn brief_command(&self, line: &str) {
        let Some(line) = brief(line) else { return };
        let text = folded(&format!("  $ {line}"), self.columns(), 6);
        for line in text.lines() {
            self.note(style(line).for_stderr().dim().to_string());
        }
    }

    /// Waits until a reader has read, where one sits at a terminal.
    pub(crate) fn pause(&self) -> Result<()> {
        let is_read = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        if self.style.json || !is_read {
            return Ok(());
        }
        self.say(style("(Enter goes on)").dim().to_string());
        interrupt::interruptible(|| {
            let read = std::io::stdin().lock().read_line(&mut String::new());
            read.map_err(|error| broken(format!("the terminal is gone: {error}")))
        })?;
        Ok(())
    }
}

/// A line of a table of two columns, wrapped in the second of them.
pub(crate) fn wrapped(line: &str, columns: usize, second: usize) -> String {
    folded(line, Some(columns), second)
}

/// A text in lines of at most so many columns, where its words allow that. All but the
/// first begin at this column.
fn folded(text: &str, columns: Option<usize>, indent: usize) -> String {
    let columns = columns.unwrap_or(usize::MAX);
    // Where hardly anything would fit beside it, there is none.
    let indent = if indent * 2 <= columns { indent } else { 0 };
    let mut folded = String::new();
    let mut column = 0;
    let mut begins = true;
    for word in text.split(' ') {
        let width = console::measure_text_width(word);
        if !begins && column + 1 + width > columns {
            folded.push('\n');
            folded += &" ".repeat(indent);
            column = indent;
        } else if !begins {
            folded.push(' ');
            column += 1;
        }
        begins = false;
        folded += word;
        column += width;
    }
    folded
}

fn shortened(text: &str) -> String {
    match &*DIGEST {
        Some(digest) => digest.replace_all(text, "$1…").into_owned(),
        None => text.to_owned(),
    }
}

/// The command of another program, without variables and without the directories of its
/// files; `None` for what only a script needs.
fn brief(line: &str) -> Option<String> {
    let is_value = |word: &String| {
        let name = word.split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
    };
    if line.contains("=$(") {
        return None;
    }
    let words = shlex::split(line)?.into_iter().skip_while(is_value);
    let words: Vec<String> = words
        .map(|word| match Path::new(&word).file_name() {
            Some(name) if word.starts_with('/') => name.to_string_lossy().into_owned(),
            _ => word,
        })
        .collect();
    let is_own = words.first().is_none_or(|program| program == "cargo");
    let words = words.iter().map(|word| match word.starts_with('$') {
        true => word.clone(),
        false => quote(word),
    });
    (!is_own).then(|| words.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words() {
        let folded = |text, columns| folded(text, Some(columns), 0);
        assert_eq!(folded("one two three", 8), "one two\nthree");
        assert_eq!(folded("one two three", 7), "one two\nthree");
        assert_eq!(folded("one two three", 6), "one\ntwo\nthree");
        assert_eq!(folded("one two three", 2), "one\ntwo\nthree");
        assert_eq!(folded("one  two", 80), "one  two");
        assert_eq!(folded("✓ — ✓", 5), "✓ — ✓");
        assert_eq!(folded("", 5), "");
    }

    #[test]
    fn a_row_goes_on_below_its_second_column() {
        let row = "digest  one two three";
        assert_eq!(folded(row, Some(16), 8), "digest  one two\n        three");
        assert_eq!(folded(row, None, 8), row);
        // Nothing would fit beside it.
        assert_eq!(folded("one  two", Some(6), 5), "one \ntwo");
    }

    #[test]
    fn digests_are_short() {
        let hash = "30edf7835ab13abe1c87215f7a4c0b73840e2cf256a456a7c425b26700d86115";
        let image = format!("127.0.0.1:1/a@sha256:{hash} and a:sha256-{hash}, {hash}");
        let short = format!("127.0.0.1:1/a@sha256:30edf783… and a:sha256-30edf783…, {hash}");
        assert_eq!(shortened(&image), short);
        assert_eq!(shortened("sha256:30edf7835ab1"), "sha256:30edf7835ab1");
    }

    #[test]
    fn of_a_command_the_reader_sees_what_it_says() {
        let line = "TUF_ROOT=/a/tuf /cache/servers/cosign verify --trusted-root '/a b/root.json' \
                    --issuer http://127.0.0.1:1/dex \"$IMAGE\"";
        let short = "cosign verify --trusted-root root.json --issuer http://127.0.0.1:1/dex $IMAGE";
        assert_eq!(brief(line).as_deref(), Some(short));
        assert_eq!(brief("cargo xtask token --as alice"), None);
        assert_eq!(brief("IMAGE=$(TUF_ROOT=/a /b/cosign triangulate c)"), None);
    }
}
