//! `reset`: undoes a chapter, as far as it can be undone.

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App, Ends, Execution, PlanOptions, ask};
use crate::plan::{Plan, Step};
use crate::target::{Removal, Target, WayBack};
use crate::walkthrough::steps::{ForgetChapter, ResetRunner};
use crate::walkthrough::{self, Chapter};

/// Undo a chapter, as far as it can be undone
#[derive(Debug, Args)]
pub(crate) struct ResetCommand {
    /// Its number or name
    chapter: String,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// How to run the plan.
    #[command(flatten)]
    plan: PlanOptions,
}

#[derive(Serialize)]
struct OnlyRead {
    chapter: String,
}

#[derive(Serialize)]
struct Undone {
    chapter: String,
    /// What stays, and why.
    stays: Option<String>,
    steps: Ends,
}

impl ResetCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let chapters = walkthrough::all()?;
        let chapter = walkthrough::named(&chapters, &self.chapter)?;
        if !chapter.tasks(app.chosen.kind).is_empty() {
            return self.undo(app, &chapters, chapter);
        }
        let spoken = chapter.spoken();
        app.ui.say(format!(
            "{spoken} is only read, so there is nothing to undo"
        ));
        let chapter = chapter.name.clone();
        Ok(Answer::result(OnlyRead { chapter }))
    }

    fn undo(self, app: &App, chapters: &[Chapter], chapter: &Chapter) -> Result<Answer> {
        let _alone = app.lock_alone("reset", false, &self.plan)?;
        let ways = ways_back(app, chapters, chapter)?;
        // Where all of the installation goes, what the later chapters did goes with it.
        let whole = ways.iter().find_map(|way| match way {
            WayBack::Uninstall { keep_tools } => Some(*keep_tools),
            _ => None,
        });
        let target = if whole.is_some() {
            app.target_to_remove()?
        } else {
            app.target()?
        };
        let mut plan = target.reset(&chapter.name, &ways)?;
        if !plan.steps.is_empty() {
            target.require_named()?;
        }
        push_forget_chapter(&mut plan, chapter);
        if !self.yes && !self.plan.dry_run {
            ask("reset", &question(target.as_ref(), chapter, whole)?)?;
        }
        let runner = ResetRunner {
            target: target.as_ref(),
            state: &app.state,
            kind: app.chosen.kind,
        };
        let ran = app.execute(&runner, &plan, &self.plan)?;
        let Execution::Finished(outcome) = ran else {
            return Ok(Answer::printed());
        };
        app.ui.say(format!("undone: {}", chapter.spoken()));
        app.ui
            .say("the chapters after it are to be done again as well");
        if let Some(stays) = &chapter.stays {
            app.ui.say(stays);
        }
        app.ui.next("cargo xtask next");
        Ok(Answer::result(Undone {
            chapter: chapter.name.clone(),
            stays: chapter.stays.clone(),
            steps: Ends::of(&outcome),
        }))
    }
}

/// What is asked first; where all of the installation goes, `whole` says whether the
/// tools stay.
fn question(target: &dyn Target, chapter: &Chapter, whole: Option<bool>) -> Result<String> {
    let Some(keep_tools) = whole else {
        let spoken = chapter.spoken();
        return Ok(format!(
            "This undoes {spoken}, and forgets what was done after it. Go on?"
        ));
    };
    target.removal_question(Removal {
        keep_tools,
        ..Removal::default()
    })
}

/// How a chapter is undone. Where it left nothing itself, what goes is what those after it
/// left that were done: their check would find it, and they would still be done.
fn ways_back(app: &App, chapters: &[Chapter], chapter: &Chapter) -> Result<Vec<WayBack>> {
    let kind = app.chosen.kind;
    let own = chapter.ways_back(kind);
    if !own.is_empty() {
        return Ok(own);
    }
    let done = app.walkthrough()?.progress.chapters;
    let later = chapters
        .iter()
        .filter(|later| later.number > chapter.number);
    let later = later.filter(|later| done.contains_key(&later.name));
    Ok(later.flat_map(|later| later.ways_back(kind)).collect())
}

/// Adds the step that forgets that the chapter and those after it were done.
fn push_forget_chapter(plan: &mut Plan, chapter: &Chapter) {
    let forget = ForgetChapter {
        chapter: chapter.name.clone(),
    };
    let needs: Vec<String> = plan.steps.iter().map(|step| step.name.clone()).collect();
    let title = format!(
        "forget that {} and those after it were done",
        chapter.spoken()
    );
    plan.push(
        Step::new("forget-chapter", title)
            .needs(needs)
            .xtask(forget),
    );
}
