//! Words for people and shells: what is harmless to print, quoted for a shell, counted.

use std::path::Path;

use crate::format::hex::hex;

/// A text from outside without control characters, which could rewrite what a
/// terminal shows.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\t' {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

/// One word quoted for a POSIX shell. A NUL cannot be passed to any program;
/// it is printed as the replacement character.
pub(crate) fn quote(text: &str) -> String {
    let text = text.replace('\0', "\u{fffd}");
    shlex::try_quote(&text).map_or_else(|_| text.clone(), |quoted| quoted.into_owned())
}

/// A path as a person reads it: from where they are, where that is shorter.
pub(crate) fn nearest(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    let below = below.filter(|below| !below.as_os_str().is_empty());
    below.as_deref().unwrap_or(path).display().to_string()
}

/// The first digits of a hash, for a line that a person reads.
pub(crate) fn short(hash: &[u8; 32]) -> String {
    format!("{}…", hex(&hash[..4]))
}

/// `1 entry`, `2 entries`.
pub(crate) fn entries(n: u64) -> String {
    counted(n, "entry", "entries")
}

/// A number and what it counts: `1 hash`, `3 hashes`.
pub(crate) fn counted(n: u64, one: &str, more: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        n => format!("{n} {more}"),
    }
}
