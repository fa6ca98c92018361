//! Expectations that are files, and texts without what differs between machines.

use std::path::Path;

use super::repo::repository;

/// Compares with a file of `tests/snapshots`.
#[track_caller]
pub fn snapshot(name: &str, actual: &str) {
    compare(
        &repository().join("xtask/tests/snapshots").join(name),
        actual,
    );
}

/// Compares with a file, or writes it anew.
#[track_caller]
pub fn compare(path: &Path, actual: &str) {
    let format = Some(snapbox::data::DataFormat::Text);
    // Raw, because help texts and Go templates hold what would be wildcards.
    let expected = snapbox::Data::read_from(path, format).raw();
    snapbox::Assert::new()
        .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
        .eq(actual, expected);
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
