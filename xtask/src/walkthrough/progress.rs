//! What a reader has done: `progress.json` in the state directory, one small file
//! that a person can read.
//!
//! Most of what a chapter asks for can be seen on the live system. What cannot, such as a
//! refusal, is noted here by the command that did it.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::chapter::{self, Chapter};
use super::{DoneWhen, Milestone};
use crate::fail::Fail;
use crate::state::{self, State};
use crate::target::TargetKind;
use crate::text::quote;
use crate::time;

/// The file's name.
const FILE: &str = "progress.json";

/// The lock that is held while the file is changed.
const LOCK: &str = "progress.lock";

/// What was done on one target. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
// A message about a damaged file names it.
#[serde(expecting = "struct Progress")]
pub(crate) struct ReaderProgress {
    /// Chapters by name, with the time when their check held first.
    #[serde(default)]
    pub(crate) chapters: BTreeMap<String, String>,
    /// Milestones by name, with the time of the last one.
    #[serde(default, rename = "deeds")]
    pub(crate) milestones: BTreeMap<String, String>,
    /// How many hints were given for a chapter's task, by what the task is about.
    #[serde(default)]
    pub(crate) hints: BTreeMap<String, usize>,
}

type OfTargets = BTreeMap<String, ReaderProgress>;

/// What was done on a target; nothing where nothing was.
pub(crate) fn read(state: &State, on: TargetKind) -> Result<ReaderProgress> {
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
pub(crate) fn change(
    state: &State,
    on: TargetKind,
    change: impl FnOnce(&mut ReaderProgress),
) -> Result<ReaderProgress> {
    state.create()?;
    let _held = state::exclusive(&state.path(LOCK))?;
    let mut all = read_all(state)?;
    let of_target = all.entry(on.name().to_owned()).or_default();
    change(of_target);
    let now = of_target.clone();
    state::write_json(&state.path(FILE), &all)?;
    Ok(now)
}

/// Forgets all that was done on a target, whose installation is gone. A damaged file is
/// removed as a whole, since it must not prevent an uninstall.
pub(crate) fn forget(state: &State, on: TargetKind) -> Result<()> {
    let path = state.path(FILE);
    if !path.exists() {
        return Ok(());
    }
    let _held = state::exclusive(&state.path(LOCK))?;
    let mut all = read_all(state).unwrap_or_default();
    all.retain(|name, progress| name != on.name() && *progress != ReaderProgress::default());
    if all.is_empty() {
        state::forget(&path)
    } else {
        state::write_json(&path, &all)
    }
}

/// Remembers a milestone.
pub(crate) fn remember(state: &State, on: TargetKind, milestone: &Milestone) -> Result<()> {
    change(state, on, |progress| {
        progress.milestones.insert(milestone.name(), time::now());
    })
    .map(drop)
}

/// Forgets that a chapter and all after it were done, and what only this memory shows of
/// them: whoever is back before a chapter is before the later ones as well.
pub(crate) fn forget_from(state: &State, on: TargetKind, name: &str) -> Result<()> {
    if !state.path(FILE).exists() {
        return Ok(());
    }
    let chapters = chapter::all()?;
    let from = chapter::named(&chapters, name)?.number;
    change(state, on, |progress| {
        for chapter in chapters.iter().filter(|chapter| chapter.number >= from) {
            progress.chapters.remove(&chapter.name);
            progress.forget_tasks(chapter, on);
        }
    })
    .map(drop)
}

impl ReaderProgress {
    fn forget_tasks(&mut self, chapter: &Chapter, on: TargetKind) {
        for task in chapter.tasks(on) {
            self.hints.remove(&chapter.key(task));
            if let DoneWhen::Did(milestone) = &task.done_when {
                self.milestones.remove(&milestone.name());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_milestones_are_kept_apart() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path().join("state")).unwrap();
        assert_eq!(
            read(&state, TargetKind::Local).unwrap(),
            ReaderProgress::default()
        );
        remember(&state, TargetKind::Local, &Milestone::Verify).unwrap();
        remember(&state, TargetKind::Local, &Milestone::Report).unwrap();
        let local = read(&state, TargetKind::Local).unwrap();
        assert_eq!(
            local.milestones.keys().collect::<Vec<_>>(),
            ["report", "verify"]
        );
        assert_eq!(
            read(&state, TargetKind::Cluster).unwrap(),
            ReaderProgress::default()
        );
        std::fs::write(state.path(FILE), "{").unwrap();
        let error = read(&state, TargetKind::Local).unwrap_err();
        assert!(Fail::from_error(&error).hints[0].contains("rm "));
    }
}
