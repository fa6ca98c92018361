//! `chapters`: all chapters, and how far each is.

use anyhow::Result;
use clap::Args;
use console::style;
use serde::Serialize;

use crate::app::{Answer, App};
use crate::text::printable;
use crate::walkthrough::{self, Chapter, ChapterReport, ChapterState, Walkthrough};

/// List the chapters of the workshop, how far each is, and where you are
#[derive(Debug, Args)]
pub(crate) struct ChaptersCommand {}

#[derive(Serialize)]
struct Journey {
    target: &'static str,
    /// The chapter that is next.
    at: Option<String>,
    chapters: Vec<ChapterRow>,
}

#[derive(Serialize)]
struct ChapterRow {
    name: String,
    number: u32,
    title: String,
    page: String,
    minutes: u32,
    state: &'static str,
    why: Option<String>,
    done_at: Option<String>,
    hints: usize,
}

impl ChaptersCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let chapters = walkthrough::all()?;
        let mut walkthrough = app.walkthrough()?;
        let width = chapters.iter().map(|chapter| chapter.title.len()).max();
        let mut rows = Vec::new();
        let mut at = None;
        for chapter in &chapters {
            // Each is told as it is looked at: a cluster may take its time to answer.
            let report = walkthrough.report(chapter);
            let is_here = at.is_none() && report.is_open();
            if is_here {
                at = Some(chapter);
            }
            if matches!(report.state, ChapterState::Done) {
                walkthrough.remember_done(chapter)?;
            }
            say(app, &report, is_here, width.unwrap_or(0));
            rows.push(row(app, &walkthrough, report));
        }
        match at {
            Some(at) => app.ui.say(format!("you are at {}", at.spoken())),
            None => app.ui.say("every chapter is done"),
        };
        if at.is_some() {
            app.ui.next("cargo xtask next");
        }
        Ok(Answer::document(Journey {
            target: app.chosen.kind.name(),
            at: at.map(|at| at.name.clone()),
            chapters: rows,
        }))
    }
}

fn say(app: &App, report: &ChapterReport<'_>, is_here: bool, width: usize) {
    let Chapter {
        number,
        title,
        minutes,
        ..
    } = report.chapter;
    let state = match &report.state {
        ChapterState::Done => style("✓ done").green(),
        ChapterState::Broken(_) => style("✗ broken").red(),
        ChapterState::Read => style("  only read"),
        ChapterState::NotYet => style("  not yet"),
    };
    let arrow = if is_here { "→" } else { " " };
    let line = format!("{arrow} {number:>2}  {title:width$}  {minutes:>3} min  {state}");
    app.ui.say(line.trim_end());
    if let ChapterState::Broken(why) = &report.state {
        app.ui.say(format!("        {}", printable(why)));
    }
}

fn row(app: &App, walkthrough: &Walkthrough<'_>, report: ChapterReport<'_>) -> ChapterRow {
    let chapter = report.chapter;
    let tasks = chapter.tasks(app.chosen.kind).into_iter();
    let hints = tasks.map(|task| walkthrough.hints_given(chapter, task));
    ChapterRow {
        name: chapter.name.clone(),
        number: chapter.number,
        title: chapter.title.clone(),
        page: format!("docs/{}", chapter.page),
        minutes: chapter.minutes,
        state: report.state.name(),
        hints: hints.sum(),
        done_at: walkthrough.progress.chapters.get(&chapter.name).cloned(),
        why: match report.state {
            ChapterState::Broken(why) => Some(why),
            _ => None,
        },
    }
}
