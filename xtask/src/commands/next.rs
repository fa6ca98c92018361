//! `next`: what to do now.

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App};
use crate::walkthrough;

/// Say what to do now
#[derive(Debug, Args)]
pub(crate) struct NextCommand {}

/// What to do where a chapter is no longer done because servers were stopped.
const START_AGAIN: &str =
    "This chapter was done, and servers stopped since: start what does not run.";

/// Where the reader is; the rest is there where something is left to do.
#[derive(Default, Serialize)]
struct Todo {
    chapter: Option<String>,
    #[serde(flatten)]
    todo: Option<ToType>,
}

#[derive(Serialize)]
struct ToType {
    page: String,
    about: String,
    todo: String,
    next: String,
}

impl NextCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let chapters = walkthrough::all()?;
        let walkthrough = app.walkthrough()?;
        let Some(report) = walkthrough.chosen(&chapters, None)? else {
            app.say_course_done(&chapters);
            return Ok(Answer::result(Todo::default()));
        };
        let chapter = report.chapter;
        app.ui.say(chapter.heading(&app.page(&chapter.page)));
        let todo = report.missing().map(|task| {
            let (todo, command) = if walkthrough.is_stopped(&report) {
                (START_AGAIN, "cargo xtask start".to_owned())
            } else {
                (task.todo.as_str(), task.to_type())
            };
            ToType {
                page: format!("docs/{}", chapter.page),
                about: chapter.about.clone(),
                todo: todo.to_owned(),
                next: command,
            }
        });
        if let Some(ToType {
            about, todo, next, ..
        }) = &todo
        {
            app.ui.tell(format!("{about} {todo}"));
            // This is the answer, also for whoever wants nothing else.
            app.ui.say(format!("next: {}", app.ui.with_prefix(next)));
        }
        let chapter = Some(chapter.name.clone());
        Ok(Answer::result(Todo { chapter, todo }))
    }
}
