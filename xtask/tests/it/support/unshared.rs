//! Commands without a network, or with a disk of their own.

use std::path::Path;

use super::run::{Run, command, end, program};
use super::skip::skipped;

/// Runs a command in namespaces of its own, prepared by a script; `None`, and a
/// word about it, where this machine makes none.
pub fn unshared<'a>(
    kinds: &'a [&'a str],
    prepare: &'a str,
) -> Option<impl Fn(&[&str]) -> Run + 'a> {
    let run = move |kinds: &[&str], script: &str, words: &[&str]| {
        let all = [
            kinds,
            &["--map-root-user", "sh", "-ec", script, "sh"],
            words,
        ]
        .concat();
        end(command(Path::new("unshare"), &all))
    };
    let can = program(&["unshare"]).is_some()
        && program(&["ip"]).is_some()
        && run(kinds, "true", &[]).exit == 0;
    if !can {
        skipped(&format!("namespaces (unshare {}, ip)", kinds.join(" ")));
        return None;
    }
    Some(move |words: &[&str]| run(kinds, prepare, words))
}
