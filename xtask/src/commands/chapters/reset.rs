//! `reset`: back to before a chapter, as far as there is a way back.

use anyhow::Result;
use serde_json::{Value, json};

use super::super::{App, Ran, ends, uninstall};
use crate::cli::PlanOptions;
use crate::plan::Step;
use crate::target::Removal;
use crate::walkthrough;
use crate::walkthrough::steps::{ResetRunner, Unlearn};

/// The chapters whose undoing removes the whole installation, and with it what the
/// later ones did.
const WHOLE: [&str; 2] = [TOOLS, "cluster"];

/// The one of them that removes the built servers as well.
const TOOLS: &str = "tools";

pub fn run(app: &App, typed: &str, yes: bool, how: &PlanOptions) -> Result<Option<Value>> {
    let chapters = walkthrough::all()?;
    let chapter = walkthrough::named(&chapters, typed)?;
    let spoken = chapter.spoken();
    if chapter.tasks(app.on.0).is_empty() {
        app.ui.say(format!(
            "{spoken} is only read, so there is nothing to undo"
        ));
        return Ok(Some(json!({"chapter": chapter.name})));
    }
    let _alone = if how.dry_run {
        None
    } else {
        app.state.lock("reset", false)?
    };
    let whole = WHOLE.contains(&chapter.name.as_str());
    let target = if whole {
        app.target_to_remove()?
    } else {
        app.target()?
    };
    let mut plan = target.reset(&chapter.name)?;
    if !plan.steps.is_empty() {
        target.require_named()?;
    }
    let unlearn = Unlearn {
        chapter: chapter.name.clone(),
        later: whole,
    };
    let needs: Vec<String> = plan.steps.iter().map(|step| step.name.clone()).collect();
    plan.push(
        Step::new("unlearn", format!("forget that {spoken} was done"))
            .needs(needs)
            .xtask(unlearn),
    );
    if !yes && !how.dry_run {
        let question = if whole {
            target.removal_question(Removal {
                keep_tools: chapter.name != TOOLS,
                ..Removal::default()
            })?
        } else {
            format!("This undoes {spoken}. Go on?")
        };
        uninstall::ask("reset", &question)?;
    }
    let runner = ResetRunner {
        target: target.as_ref(),
        state: &app.state,
        kind: app.on.0,
    };
    let Ran::Done(outcome) = app.execute(&runner, &plan, how)? else {
        return Ok(None);
    };
    app.ui.say(format!("undone: {spoken}"));
    if let Some(stays) = &chapter.stays {
        app.ui.say(stays);
    }
    app.ui.next("cargo xtask next");
    Ok(Some(json!({
        "chapter": chapter.name,
        "stays": chapter.stays,
        "steps": ends(&outcome),
    })))
}
