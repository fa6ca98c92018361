//! `uninstall`: stop everything, remove what install made, say what it was.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::Result;
use serde_json::{Value, json};

use super::{App, Ran, ends};
use crate::cli::PlanOptions;
use crate::fail::{broken, not_so};

pub fn run(app: &App, yes: bool, keep_tools: bool, how: &PlanOptions) -> Result<Option<Value>> {
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
    let plan = target.uninstall(!keep_tools)?;
    if !yes && !how.dry_run {
        ask(app, keep_tools)?;
    }
    let Ran::Done(outcome) = app.execute(target.as_ref(), &plan, how)? else {
        return Ok(None);
    };
    let removed: Vec<_> = outcome
        .ends
        .iter()
        .filter(|(_, end)| *end == crate::plan::run::End::Done)
        .map(|(name, _)| name.clone())
        .collect();
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

fn ask(app: &App, keep_tools: bool) -> Result<()> {
    if !std::io::stdin().is_terminal() {
        return Err(broken("uninstall asks first, and nobody is here to answer")
            .hint("add --yes")
            .into());
    }
    let tools = if keep_tools {
        ""
    } else {
        ", and the built servers, which other state directories of yours may use,"
    };
    let mut err = std::io::stderr().lock();
    write!(
        err,
        "Remove all keys, logs and images of {}{tools}? [y/N] ",
        app.state.root().display()
    )?;
    err.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(not_so("nothing was removed").into())
}
