//! How far each chapter is, on a target.

use anyhow::Result;

use super::look::Look;
use super::{Chapter, ChapterTask, named, progress};
use crate::fail::Fail;
use crate::state::State;
use crate::target::{Component, ComponentState, Target, TargetKind};
use crate::time;

/// How far a chapter is.
pub(crate) enum ChapterState {
    /// It is only read.
    Read,
    /// All that it asks for is seen.
    Done,
    /// Some of it is not.
    NotYet,
    /// It was done and no longer is, or that cannot be checked.
    Broken(String),
}

impl ChapterState {
    /// As scripts read it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            ChapterState::Read => "read",
            ChapterState::Done => "done",
            ChapterState::NotYet => "not yet",
            ChapterState::Broken(_) => "broken",
        }
    }
}

/// A chapter that was looked at.
pub(crate) struct ChapterReport<'a> {
    /// The chapter.
    pub(crate) chapter: &'a Chapter,
    /// Each task, with how it was seen to be done.
    pub(crate) tasks: Vec<(&'a ChapterTask, Option<String>)>,
    /// How far it is.
    pub(crate) state: ChapterState,
}

impl ChapterReport<'_> {
    /// The first task that is not done.
    pub(crate) fn missing(&self) -> Option<&ChapterTask> {
        let missing = self.tasks.iter().find(|(_, seen)| seen.is_none());
        missing.map(|(task, _)| *task)
    }

    /// Whether something is left to do.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, ChapterState::NotYet | ChapterState::Broken(_))
    }
}

/// The chapters on a target, and what is remembered of them.
pub(crate) struct Walkthrough<'a> {
    state: &'a State,
    kind: TargetKind,
    target: Box<dyn Target>,
    trace: bool,
    /// What is remembered.
    pub(crate) progress: progress::ReaderProgress,
}

impl<'a> Walkthrough<'a> {
    /// Reads what is remembered. With `trace` each answer of a server is told on
    /// standard error.
    pub(crate) fn open(
        state: &'a State,
        kind: TargetKind,
        target: Box<dyn Target>,
        trace: bool,
    ) -> Result<Walkthrough<'a>> {
        Ok(Walkthrough {
            state,
            kind,
            target,
            trace,
            progress: progress::read(state, kind)?,
        })
    }

    /// Looks at a chapter; an error where something cannot be looked at.
    fn look<'c>(&self, chapter: &'c Chapter) -> Result<ChapterReport<'c>> {
        let look = Look {
            target: self.target.as_ref(),
            progress: &self.progress,
            trace: self.trace,
        };
        let mut tasks = Vec::new();
        for task in chapter.tasks(self.kind) {
            tasks.push((task, look.at(&task.done_when)?));
        }
        let state = match tasks.iter().find(|(_, seen)| seen.is_none()) {
            _ if tasks.is_empty() => ChapterState::Read,
            None => ChapterState::Done,
            Some((task, _)) if self.progress.chapters.contains_key(&chapter.name) => {
                ChapterState::Broken(format!("this no longer holds: {}", task.what))
            }
            Some(_) => ChapterState::NotYet,
        };
        Ok(ChapterReport {
            chapter,
            tasks,
            state,
        })
    }

    /// Looks at a chapter; one that cannot be looked at is broken.
    pub(crate) fn report<'c>(&self, chapter: &'c Chapter) -> ChapterReport<'c> {
        self.look(chapter).unwrap_or_else(|error| ChapterReport {
            chapter,
            tasks: Vec::new(),
            state: ChapterState::Broken(Fail::from_error(&error).what),
        })
    }

    /// The chapter that was named, or the first that is not done, of those that ask
    /// for something.
    pub(crate) fn chosen<'c>(
        &self,
        chapters: &'c [Chapter],
        name: Option<&str>,
    ) -> Result<Option<ChapterReport<'c>>> {
        if let Some(name) = name {
            return self.look(named(chapters, name)?).map(Some);
        }
        for chapter in chapters {
            let report = self.look(chapter)?;
            if report.is_open() {
                return Ok(Some(report));
            }
        }
        Ok(None)
    }

    /// Whether a chapter was done, and no longer is since all servers were stopped: an
    /// install was complete before.
    pub(crate) fn is_stopped(&self, report: &ChapterReport<'_>) -> bool {
        let is_down = |component: &Component| component.state != ComponentState::Up;
        matches!(report.state, ChapterState::Broken(_))
            && self.progress.chapters.contains_key("install")
            && self
                .target
                .status()
                .is_ok_and(|all| all.iter().all(is_down))
    }

    /// Remembers when a chapter was first seen to be done.
    pub(crate) fn remember_done(&mut self, chapter: &Chapter) -> Result<()> {
        if self.progress.chapters.contains_key(&chapter.name) {
            return Ok(());
        }
        let name = chapter.name.clone();
        self.progress = progress::change(self.state, self.kind, |progress| {
            progress.chapters.entry(name).or_insert_with(time::now);
        })?;
        Ok(())
    }

    /// How many hints were given for a task, at most as many as there are.
    pub(crate) fn hints_given(&self, chapter: &Chapter, task: &ChapterTask) -> usize {
        let given = self.progress.hints.get(&chapter.key(task));
        given.copied().unwrap_or(0).min(task.hint_count())
    }

    /// Remembers that a task was given one more hint, and returns which.
    pub(crate) fn give_hint(&self, chapter: &Chapter, task: &ChapterTask) -> Result<usize> {
        let number = (self.hints_given(chapter, task) + 1).min(task.hint_count());
        progress::change(self.state, self.kind, |progress| {
            progress.hints.insert(chapter.key(task), number);
        })?;
        Ok(number)
    }
}
