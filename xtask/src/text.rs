//! Words for people and shells: what is harmless to print, quoted for a shell, counted.

use std::path::Path;

use crate::format::hex::hex;

/// A text from outside without what could rewrite what a terminal shows: control
/// characters, those that change the direction of a line or end it, and those that nobody
/// sees.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => c,
            c if c.is_control() || is_invisible(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

/// Formats of Unicode (category Cf) and its separators of lines and paragraphs, of which
/// none has a picture.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

/// The path of a file, which may have any name.
pub(crate) fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

/// One word quoted for a POSIX shell. A NUL cannot be passed to any program;
/// it is printed as the replacement character.
pub(crate) fn quote(text: &str) -> String {
    let text = text.replace('\0', "\u{fffd}");
    // What would rewrite the line that it stands in is spelled. A shell cuts off the line
    // ends at the end of that.
    if printable(&text) != text && !text.ends_with('\n') {
        return spelled(&text);
    }
    shlex::try_quote(&text).map_or_else(|_| text.clone(), |quoted| quoted.into_owned())
}

/// The same with what is not printable as the numbers of its bytes.
fn spelled(text: &str) -> String {
    let spell = |c: char| match c {
        '\\' => "\\\\".to_owned(),
        '%' => "%%".to_owned(),
        '\'' => "\\047".to_owned(),
        c if printable(c.encode_utf8(&mut [0; 4])) == c.to_string() => c.to_string(),
        c => c
            .to_string()
            .bytes()
            .map(|byte| format!("\\{byte:03o}"))
            .collect(),
    };
    let format: String = text.chars().map(spell).collect();
    // A format that begins with a dash would be an option.
    format!("\"$(printf -- '{format}')\"")
}

/// The name that was meant, where what was typed is nearly one.
pub(crate) fn meant<'n>(typed: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    // As near as clap wants options and commands to be.
    const NEAR: f64 = 0.7;
    let near = |name: &'n str| (strsim::jaro(typed, name), name);
    let all = names.into_iter().map(near);
    let best = all.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(near, _)| *near > NEAR).map(|(_, name)| name)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_meant_is_found() {
        let names = ["dex", "fulcio", "rekor-v2", "two-histories"];
        assert_eq!(meant("fulico", names), Some("fulcio"));
        assert_eq!(meant("twohistories", names), Some("two-histories"));
        assert_eq!(meant("rekor", names), Some("rekor-v2"));
        assert_eq!(meant("status", names), None);
        assert_eq!(meant("", names), None);
    }

    #[test]
    fn nothing_that_rewrites_a_line_is_printed() {
        for c in ('\0'..=' ')
            .chain('\u{7f}'..='\u{a0}')
            .chain('\u{2000}'..='\u{2070}')
        {
            let harmless = matches!(c, '\t' | ' ' | '\u{a0}' | '\u{2000}'..='\u{200a}')
                || matches!(c, '\u{2010}'..='\u{2027}' | '\u{202f}'..='\u{205f}' | '\u{2070}');
            assert_eq!(
                printable(&c.to_string()) == c.to_string(),
                harmless,
                "{c:?}"
            );
        }
        assert_eq!(printable("früh — ✓ 早"), "früh — ✓ 早");
    }

    #[test]
    fn a_shell_reads_what_was_quoted() {
        for word in [
            "a b",
            "it's",
            "a\u{1b}[2J'%\\ \n\u{202e}b",
            "-\u{7}",
            "\t",
            "a\n",
        ] {
            let line = format!("printf %s {}", quote(word));
            let mut shell = std::process::Command::new("sh");
            let output = shell.args(["-c", &line]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), word, "{line}");
            let forged = |c: char| matches!(c, '\u{1b}' | '\u{202e}' | '\u{7}');
            assert!(!line.contains(forged), "{line:?}");
        }
    }
}
