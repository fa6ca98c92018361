//! `hint`: the next hint about the first thing that is missing.

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App};
use crate::walkthrough::{self, ChapterState};

/// Give the next hint about what is missing, the answer last
#[derive(Debug, Args)]
pub(crate) struct HintCommand {
    /// About which chapter, by number or name [default: the first that is not done]
    chapter: Option<String>,
}

/// The chapter; the rest is there where something is missing.
#[derive(Default, Serialize)]
struct Hinted {
    chapter: Option<String>,
    #[serde(flatten)]
    hint: Option<NumberedHint>,
}

#[derive(Serialize)]
struct NumberedHint {
    missing: String,
    number: usize,
    of: usize,
    hint: String,
}

impl HintCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let chapters = walkthrough::all()?;
        let walkthrough = app.walkthrough()?;
        let Some(report) = walkthrough.chosen(&chapters, self.chapter.as_deref())? else {
            app.say_course_done(&chapters);
            return Ok(Answer::result(Hinted::default()));
        };
        let chapter = report.chapter;
        app.ui.say(chapter.heading(&app.page(&chapter.page)));
        let name = Some(chapter.name.clone());
        let Some(task) = report.missing() else {
            app.ui.say(match report.state {
                ChapterState::Read => "it is only read, so there is nothing to hint at",
                _ => "nothing is missing, so there is nothing to hint at",
            });
            return Ok(Answer::result(Hinted {
                chapter: name,
                hint: None,
            }));
        };
        let (number, of) = (walkthrough.give_hint(chapter, task)?, task.hint_count());
        app.ui.say(format!("not yet: {}", task.what));
        let line = |hint: &str| format!("hint {number} of {of}: {hint}");
        let hint = if let Some(hint) = task.hints.get(number - 1) {
            app.ui.tell(line(hint));
            hint.clone()
        } else {
            // A command stays in one piece, to be copied.
            let answer = format!("Type: {}", app.ui.with_prefix(&task.to_type()));
            app.ui.say(line(&answer));
            answer
        };
        let missing = task.what.clone();
        let hint = NumberedHint {
            missing,
            number,
            of,
            hint,
        };
        Ok(Answer::result(Hinted {
            chapter: name,
            hint: Some(hint),
        }))
    }
}
