//! `uninstall`: stop everything, remove what install made, say what it was.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::Result;
use serde_json::{Value, json};

use super::{App, Ran, ends};
use crate::cli::{On, PlanOptions};
use crate::fail::{Fail, broken, not_so};
use crate::plan::{Command, Step};
use crate::walkthrough::progress;
use crate::words;

pub fn run(
    app: &App,
    yes: bool,
    keep_tools: bool,
    minikube: Option<&str>,
    how: &PlanOptions,
) -> Result<Option<Value>> {
    if let Some(profile) = minikube {
        refuse_other_profile(app, profile)?;
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
    refuse_unnamed_cluster(app)?;
    let mut plan = target.uninstall(!keep_tools, minikube.is_some())?;
    if let Some(profile) = minikube {
        let needs: Vec<String> = plan.steps.iter().map(|step| step.name.clone()).collect();
        let delete = words!["minikube", format!("--profile={profile}"), "delete"];
        plan.push(
            Step::new("delete-minikube", format!("delete the minikube {profile}"))
                .needs(needs)
                .run(Command::new(delete)),
        );
    }
    if !yes && !how.dry_run {
        ask("uninstall", &question(app, keep_tools, minikube)?)?;
    }
    let ran = app.execute(target.as_ref(), &plan, how).map_err(|error| {
        let fail = Fail::from_error(&error);
        if app.on.0 == On::Local {
            return fail;
        }
        fail.hint("where the cluster is gone: cargo xtask uninstall --yes --from forget")
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

/// Fails where nothing was installed from this state directory and no cluster was
/// named: what is on the current one may be somebody else's.
///
/// # Errors
/// Exactly then, or where the state is damaged.
pub fn refuse_unnamed_cluster(app: &App) -> Result<()> {
    if app.on.0 != On::Cluster || app.context.is_some() || app.cluster()?.installed {
        return Ok(());
    }
    Err(
        broken("nothing was installed on a cluster from this state directory")
            .hint("to remove what was installed from another, name the cluster: --context NAME")
            .into(),
    )
}

/// Fails where the profile is not the one that this target uses.
fn refuse_other_profile(app: &App, profile: &str) -> Result<()> {
    let fail = broken(format!(
        "the minikube {profile} is not the one of this target"
    ));
    if app.on.0 != On::Minikube {
        return Err(fail.hint("name the target as well: --on minikube").into());
    }
    let ours = app.cluster()?.settings()?.context.clone();
    if profile == ours {
        return Ok(());
    }
    Err(fail
        .hint(format!(
            "only that one is deleted: --delete-minikube {ours}"
        ))
        .into())
}

/// What is asked before everything is removed.
///
/// # Errors
/// Where no cluster is known.
pub fn question(app: &App, keep_tools: bool, minikube: Option<&str>) -> Result<String> {
    let state = app.state.root().display();
    Ok(match (app.on.0, minikube) {
        (On::Local, _) if keep_tools => format!("Remove all keys, logs and images of {state}?"),
        (On::Local, _) => format!(
            "Remove all keys, logs and images of {state}, and the built servers, which other state directories of yours may use?"
        ),
        (_, None) => format!(
            "Remove Sigstore from the cluster {} with all its keys and logs, and {state}?",
            app.cluster()?.settings()?.context
        ),
        (_, Some(profile)) => format!("Delete the minikube {profile} with everything in it?"),
    })
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
