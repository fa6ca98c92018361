//! Expectations that are files, and texts without what differs between machines.

use std::collections::HashMap;
use std::path::Path;

use regex_lite::Regex;

use super::repo::repository;

/// Compares with a file of `tests/snapshots`.
#[track_caller]
pub fn snapshot(name: &str, actual: &str) {
    compare(
        &repository().join("xtask/tests/snapshots").join(name),
        actual,
    );
}

/// Compares with a file, or writes it again.
#[track_caller]
pub fn compare(path: &Path, actual: &str) {
    let format = Some(snapbox::data::DataFormat::Text);
    // Raw, because help texts and Go templates hold what would be wildcards.
    let expected = snapbox::Data::read_from(path, format).raw();
    snapbox::Assert::new()
        .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
        .eq(actual, expected);
}

/// A text without the numbers of steps, which change with each step before them.
pub fn without_numbers(text: &str) -> String {
    let numbered = Regex::new(r"(?m)^# \d+/\d+ ").unwrap();
    numbered.replace_all(text, "# ").into_owned()
}

/// The text with a word replaced, but not where it is a part of a longer one: a
/// digest may hold the digits of a port.
pub fn replaced_word(word: &str, by: &str, text: &str) -> String {
    let mut parts = text.split(word);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let within =
            replaced.ends_with(char::is_alphanumeric) || part.starts_with(char::is_alphanumeric);
        replaced += if within { word } else { by };
        replaced += part;
    }
    replaced
}

/// The text with whatever of these characters follows each `before` replaced.
pub fn replaced_after(before: &str, characters: &str, by: &str, text: &str) -> String {
    let mut parts = text.split(before);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c| characters.contains(c));
        let by = if rest.len() < part.len() { by } else { "" };
        replaced += &format!("{before}{by}{rest}");
    }
    replaced
}

/// Calls of programs that ran side by side, in an order that is always the same.
pub fn sorted(calls: &str) -> String {
    let mut lines: Vec<_> = calls.lines().collect();
    lines.sort_unstable();
    lines.join("\n") + "\n"
}

/// A text without the sentences of the parser of command lines: of what it refuses, only
/// what it quotes, and what it misses.
pub fn without_the_parser(text: &str) -> String {
    const END: &str = "For more information, try '--help'.\n";
    let mut parts = text.split(END).peekable();
    let mut kept = String::new();
    while let Some(part) = parts.next() {
        let start = part.rfind("error: ").filter(|_| parts.peek().is_some());
        let Some(start) = start else {
            kept += part;
            continue;
        };
        let said = &part[start..];
        let quoted = said.lines().next().unwrap().split('\'').skip(1).step_by(2);
        let missing = said.lines().filter_map(|line| line.strip_prefix("  --"));
        let named: Vec<String> = quoted
            .map(|word| format!("{word:?}"))
            .chain(missing.map(|option| format!("no --{option}")))
            .collect();
        kept += &part[..start];
        kept += &format!("[REFUSED: {}]\n", named.join(", "));
    }
    kept
}

/// A step of a dry run: the line that names it, and its commands.
type Step<'a> = (&'a str, Vec<&'a str>);

/// Dry runs, each step of which is shown once: a later one that is the same is only
/// named, and of one that is another are shown the lines that differ. So a change of a
/// step changes one place.
pub fn each_step_once(dry_runs: &str) -> String {
    let mut known: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut out = String::new();
    let mut same: Vec<&str> = Vec::new();
    let mut step: Option<Step<'_>> = None;
    for line in dry_runs.lines().chain([""]) {
        let begins = line
            .strip_prefix("# ")
            .and_then(|rest| rest.split_once(": "));
        let ends = ["", "exit", "on", "error:"].contains(&line.split(' ').next().unwrap());
        if begins.is_none()
            && !ends
            && let Some((_, lines)) = &mut step
        {
            lines.push(line);
            continue;
        }
        if let Some((name, lines)) = step.take() {
            match known.get(name) {
                Some(before) if *before == lines => same.push(name),
                before => {
                    out += &named(&mut same);
                    match before {
                        Some(before) if before.iter().any(|line| lines.contains(line)) => {
                            out += &difference(name, before, &lines);
                        }
                        _ => out += &(lines.join("\n") + "\n"),
                    }
                    known.entry(name).or_insert(lines);
                }
            }
        }
        if let Some((name, _)) = begins {
            step = Some((name, vec![line]));
        } else {
            out += &named(&mut same);
            out += &format!("{line}\n");
        }
    }
    out.truncate(out.len() - 1);
    out
}

/// The names of steps that are as they were.
fn named(same: &mut Vec<&str>) -> String {
    if same.is_empty() {
        return String::new();
    }
    let line = format!("= {}\n", same.join(" "));
    same.clear();
    line
}

/// The lines of a step that are not as they were.
fn difference(name: &str, before: &[&str], now: &[&str]) -> String {
    let without = |these: &[&str], those: &[&str], sign: char| -> String {
        let other = these.iter().filter(|line| !those.contains(line));
        other.map(|line| format!("{sign} {line}\n")).collect()
    };
    let (less, more) = (without(before, now, '-'), without(now, before, '+'));
    format!("~ {name}\n{less}{more}")
}

#[test]
fn a_step_that_was_shown_is_only_named() {
    let shown = "$ a\n# one: first\ndo 1\n# two: second\ndo 2\nend\non it\nexit 0\n\n$ b\n# one: first\ndo 1\n# two: second\ndo 3\nend\nexit 0\n";
    let once = "$ a\n# one: first\ndo 1\n# two: second\ndo 2\nend\non it\nexit 0\n\n$ b\n= one\n~ two\n- do 2\n+ do 3\nexit 0\n";
    assert_eq!(each_step_once(shown), once);
    assert_eq!(each_step_once(once), once);
}

#[test]
fn of_the_parser_only_what_it_quotes_is_kept() {
    let said = "$ a\nerror: invalid value '1' for '--a <N>': too small\n\nFor more information, try '--help'.\nexit 2\n";
    assert_eq!(
        without_the_parser(said),
        "$ a\n[REFUSED: \"1\", \"--a <N>\"]\nexit 2\n"
    );
    assert_eq!(without_the_parser("error: another\n"), "error: another\n");
}
