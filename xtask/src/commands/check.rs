//! `check`: whether a chapter is done, and what is missing.

use anyhow::Result;
use clap::Args;
use console::style;
use serde::Serialize;

use crate::app::{Answer, App};
use crate::fail::{Fail, not_so};
use crate::text::printable;
use crate::walkthrough::{self, ChapterReport, ChapterState, Walkthrough};

/// Check on the live system whether a chapter is done; exit status 1 where it is not
#[derive(Debug, Args)]
pub(crate) struct CheckCommand {
    /// Its number or name [default: the first that is not done]
    chapter: Option<String>,
}

/// What there is to say where no chapter is left.
#[derive(Default, Serialize)]
struct NothingLeft {
    chapter: Option<String>,
}

#[derive(Serialize)]
struct Checked {
    chapter: String,
    tasks: Vec<CheckedTask>,
    ok: bool,
}

#[derive(Serialize)]
struct CheckedTask {
    what: String,
    ok: bool,
    seen: Option<String>,
}

impl CheckCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let chapters = walkthrough::all()?;
        let mut walkthrough = app.walkthrough()?;
        let Some(report) = walkthrough.chosen(&chapters, self.chapter.as_deref())? else {
            app.say_course_done(&chapters);
            return Ok(Answer::result(NothingLeft::default()));
        };
        let chapter = report.chapter;
        app.ui.say(chapter.heading(&app.page(&chapter.page)));
        say_tasks(app, &report);
        let missing = missing(&walkthrough, &report);
        if missing.is_none() {
            if !report.tasks.is_empty() {
                walkthrough.remember_done(chapter)?;
                app.ui.say(format!("{} is done", chapter.spoken()));
            }
            if let Some(following) = chapters.get(chapter.number as usize + 1) {
                let page = app.page(&following.page);
                app.ui.say(format!("read on in {page}"));
            }
        }
        Ok(Answer::document(Checked::of(&report)).but(missing))
    }
}

impl Checked {
    fn of(report: &ChapterReport<'_>) -> Checked {
        let task = |(task, seen): &(&walkthrough::ChapterTask, Option<String>)| CheckedTask {
            what: task.what.clone(),
            ok: seen.is_some(),
            seen: seen.clone(),
        };
        Checked {
            chapter: report.chapter.name.clone(),
            tasks: report.tasks.iter().map(task).collect(),
            ok: report.missing().is_none(),
        }
    }
}

fn say_tasks(app: &App, report: &ChapterReport<'_>) {
    if report.tasks.is_empty() {
        app.ui.say("it is only read, so there is nothing to check");
    }
    for (task, seen) in &report.tasks {
        let what = &task.what;
        app.ui.say(match seen {
            Some(seen) => format!("{} {what} ({})", style("✓").green(), printable(seen)),
            None => format!("{} {what}", style("✗").red()),
        });
    }
}

/// What is missing, and what to do about it.
fn missing(walkthrough: &Walkthrough<'_>, report: &ChapterReport<'_>) -> Option<Fail> {
    let task = report.missing()?;
    let spoken = report.chapter.spoken();
    let fail = not_so(match report.state {
        ChapterState::Broken(_) => format!("{spoken} was done, and no longer is"),
        _ => format!("{spoken} is not done yet"),
    });
    if walkthrough.is_stopped(report) {
        return Some(fail.hint("servers stopped since: cargo xtask start"));
    }
    let name = &report.chapter.name;
    let more = format!("for a hint about how: cargo xtask hint {name}");
    Some(fail.hint(task.todo.clone()).hint(more))
}
