//! What a reader has done: `progress.json` in the state directory, one small file
//! that a person can read.
//!
//! Most of what a chapter asks for can be seen on the live system. What cannot, such
//! as that something was refused, is a deed that the command which did it notes here.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::cli::Command;
use crate::fail::{Fail, NOT_SO};
use crate::state::{self, State};
use crate::target::TargetKind;
use crate::text::quote;
use crate::time;
use crate::walkthrough::{Seen, lab_deed};

/// The file's name.
const FILE: &str = "progress.json";

/// What is held while the file is changed.
const LOCK: &str = "progress.lock";

/// What was done on one target. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Chapters by name, with the time when their check held first.
    #[serde(default)]
    pub chapters: BTreeMap<String, String>,
    /// Deeds, with the time of the last one.
    #[serde(default)]
    pub deeds: BTreeMap<String, String>,
    /// How many hints were given for a chapter's task, by what the task is about.
    #[serde(default)]
    pub hints: BTreeMap<String, usize>,
}

type OfTargets = BTreeMap<String, Progress>;

/// What was done on a target; nothing where nothing was.
///
/// # Errors
/// Where the file is damaged.
pub fn read(state: &State, on: TargetKind) -> Result<Progress> {
    Ok(read_all(state)?.remove(on.name()).unwrap_or_default())
}

fn read_all(state: &State) -> Result<OfTargets> {
    let path = state.path(FILE);
    match state::read_json(&path) {
        Ok(all) => Ok(all.unwrap_or_default()),
        Err(error) => Err(Fail {
            hints: vec![format!(
                "it only remembers how far you are, so it can go: rm {}",
                quote(&path.to_string_lossy())
            )],
            ..Fail::from_error(&error)
        }
        .into()),
    }
}

/// Changes what is remembered of a target, beside other commands that do, and returns
/// what it is then.
///
/// # Errors
/// Where the file is damaged or cannot be written.
pub fn change(
    state: &State,
    on: TargetKind,
    change: impl FnOnce(&mut Progress),
) -> Result<Progress> {
    state.create()?;
    let _held = state::exclusive(&state.path(LOCK))?;
    let mut all = read_all(state)?;
    let of_target = all.entry(on.name().to_owned()).or_default();
    change(of_target);
    let now = of_target.clone();
    state::write_json(&state.path(FILE), &all)?;
    Ok(now)
}

/// Forgets all that was done on a target: its installation is gone. A file that is
/// damaged goes as a whole, since nothing may keep anybody from an uninstall.
///
/// # Errors
/// Where the file system refuses.
pub fn forget(state: &State, on: TargetKind) -> Result<()> {
    let path = state.path(FILE);
    if !path.exists() {
        return Ok(());
    }
    let _held = state::exclusive(&state.path(LOCK))?;
    let mut all = read_all(state).unwrap_or_default();
    all.retain(|name, progress| name != on.name() && *progress != Progress::default());
    if all.is_empty() {
        state::forget(&path)
    } else {
        state::write_json(&path, &all)
    }
}

/// What a command does that is remembered, where it ends as it should.
pub enum Deed {
    /// It succeeds.
    Done(String),
    /// It proves bundles, which are another client's where none of them was made
    /// here.
    Bundles(Vec<std::path::PathBuf>),
    /// It verifies, or refuses; whether it was said who is expected.
    Verdict {
        /// An image without a signature is no refusal of a person.
        expected: bool,
    },
}

impl Deed {
    /// That of a command; `None` where there is nothing to remember.
    pub fn of(command: &Command) -> Option<Deed> {
        let done = |name: &str| Some(Deed::Done(name.to_owned()));
        match command {
            Command::Verify(options) if !options.plan.dry_run => Some(Deed::Verdict {
                expected: options.identity.is_some() || options.issuer.is_some(),
            }),
            Command::InspectRekor { raw: true, .. } => None,
            Command::InspectRekor { evidence, .. } if !evidence.bundle.is_empty() => {
                Some(Deed::Bundles(evidence.bundle.clone()))
            }
            Command::InspectRekor { .. } => done("inspect-rekor"),
            Command::InspectCertificate { .. } => done("inspect-certificate"),
            Command::Report { .. } => done("report"),
            Command::Lab {
                name: Some(name), ..
            } => Some(Deed::Done(lab_deed(name))),
            _ => None,
        }
    }

    /// As it is remembered, of a command that ended with this exit status; `None`
    /// where it did not come to that. `made_here` tells whether a bundle was.
    pub fn name(self, exit: u8, made_here: impl Fn(&std::path::Path) -> bool) -> Option<String> {
        match (self, exit) {
            (Deed::Done(name), 0) => Some(name),
            (Deed::Bundles(files), 0) if !files.iter().any(|file| made_here(file)) => {
                Some("foreign-bundle".to_owned())
            }
            (Deed::Verdict { .. }, 0) => Some("verify".to_owned()),
            (Deed::Verdict { expected: true }, NOT_SO) => Some("refusal".to_owned()),
            _ => None,
        }
    }
}

/// Remembers a deed.
///
/// # Errors
/// As [`change`].
pub fn remember(state: &State, on: TargetKind, deed: String) -> Result<()> {
    change(state, on, |progress| {
        progress.deeds.insert(deed, time::now());
    })
    .map(drop)
}

/// Forgets that a chapter was done, and what only this memory shows of it; of the
/// `later` ones as well where that went with it.
///
/// # Errors
/// As [`change`].
pub fn unlearn(state: &State, on: TargetKind, chapter: &str, later: bool) -> Result<()> {
    if !state.path(FILE).exists() {
        return Ok(());
    }
    let chapters = super::all()?;
    let from = super::named(&chapters, chapter)?.number;
    change(state, on, |progress| {
        for chapter in chapters.iter().filter(|chapter| chapter.number >= from) {
            // What a later one asks for is looked at anew.
            progress.chapters.remove(&chapter.name);
            if chapter.number > from && !later {
                continue;
            }
            for task in chapter.tasks(on) {
                progress.hints.remove(&chapter.key(task));
                if let Seen::Did(deed) = &task.seen {
                    progress.deeds.remove(deed);
                }
            }
        }
    })
    .map(drop)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn name(line: &str, exit: u8) -> Option<String> {
        let words = ["cargo xtask"].into_iter().chain(line.split(' '));
        let cli = Cli::try_parse_from(words).unwrap();
        Deed::of(&cli.command)?.name(exit, |file| file == Path::new("ours"))
    }

    #[test]
    fn what_a_command_did_depends_on_how_it_ended() {
        let cases = [
            ("verify", 0, Some("verify")),
            ("verify --identity mallory", 1, Some("refusal")),
            ("verify", 1, None),
            ("verify", 2, None),
            ("verify", 130, None),
            ("verify --dry-run", 0, None),
            ("inspect-rekor", 0, Some("inspect-rekor")),
            ("inspect-rekor", 1, None),
            ("inspect-rekor --raw", 0, None),
            ("inspect-rekor --bundle theirs", 0, Some("foreign-bundle")),
            ("inspect-rekor --bundle theirs", 1, None),
            ("inspect-rekor --bundle theirs ours", 0, None),
            ("inspect-certificate", 0, Some("inspect-certificate")),
            ("report", 0, Some("report")),
            ("lab clock", 0, Some("lab clock")),
            ("lab clock", 2, None),
            ("lab", 0, None),
            ("sign", 0, None),
        ];
        for (line, exit, deed) in cases {
            assert_eq!(name(line, exit).as_deref(), deed, "{line}, {exit}");
        }
    }

    #[test]
    fn targets_and_deeds_are_kept_apart() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path().join("state")).unwrap();
        assert_eq!(
            read(&state, TargetKind::Local).unwrap(),
            Progress::default()
        );
        remember(&state, TargetKind::Local, "verify".into()).unwrap();
        remember(&state, TargetKind::Local, "report".into()).unwrap();
        let local = read(&state, TargetKind::Local).unwrap();
        assert_eq!(local.deeds.keys().collect::<Vec<_>>(), ["report", "verify"]);
        assert_eq!(
            read(&state, TargetKind::Cluster).unwrap(),
            Progress::default()
        );
        std::fs::write(state.path(FILE), "{").unwrap();
        let error = read(&state, TargetKind::Local).unwrap_err();
        assert!(Fail::from_error(&error).hints[0].contains("rm "));
    }
}
