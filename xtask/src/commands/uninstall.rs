//! `uninstall`: stop everything, remove what install made, say what it was.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::Result;
use serde_json::{Value, json};

use super::{App, Ran, ends};
use crate::cli::PlanOptions;
use crate::fail::{Fail, broken, not_so};
use crate::target::Removal;
use crate::walkthrough::progress;

pub fn run(
    app: &App,
    yes: bool,
    keep_tools: bool,
    minikube: Option<&str>,
    how: &PlanOptions,
) -> Result<Option<Value>> {
    let removal = Removal {
        keep_tools,
        delete_minikube: minikube,
    };
    if let Some(profile) = minikube {
        app.target_to_remove()?.require_profile(profile)?;
    }
    if !app.state.root().exists() && keep_tools {
        app.ui.say("nothing to do: nothing is installed");
        return Ok(Some(json!({"removed": []})));
    }
    let _alone = if how.dry_run {
        None
    } else {
        app.state.lock("uninstall", false)?
    };
    let target = app.target_to_remove()?;
    target.require_named()?;
    let plan = target.uninstall(removal)?;
    if !yes && !how.dry_run {
        ask("uninstall", &target.removal_question(removal)?)?;
    }
    let ran = app.execute(target.as_ref(), &plan, how).map_err(|error| {
        target
            .removal_hint()
            .into_iter()
            .fold(Fail::from_error(&error), Fail::hint)
    })?;
    let Ran::Done(outcome) = ran else {
        return Ok(None);
    };
    let removed: Vec<_> = outcome
        .ends
        .iter()
        .filter(|(_, end)| *end == crate::plan::run::End::Done)
        .map(|(name, _)| name.clone())
        .collect();
    progress::forget(&app.state, app.on.0)?;
    app.state.remove_if_empty()?;
    if removed.is_empty() {
        app.ui.say("nothing to do: nothing is installed");
    }
    for step in plan
        .steps
        .iter()
        .filter(|step| removed.contains(&step.name))
    {
        app.ui.say(format!("done: {}", step.title));
    }
    Ok(Some(json!({"removed": removed, "steps": ends(&outcome)})))
}

/// Asks before a command removes something.
///
/// # Errors
/// Where the answer is no, or nobody is there to give one.
pub fn ask(command: &str, question: &str) -> Result<()> {
    if !std::io::stdin().is_terminal() {
        return Err(broken(format!(
            "{command} asks first, and nobody is here to answer"
        ))
        .hint("add --yes")
        .into());
    }
    let mut err = std::io::stderr().lock();
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(not_so("nothing was removed").into())
}
