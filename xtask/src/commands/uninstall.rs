//! `uninstall`: stop everything, remove what install made, say what it was.

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App, Ends, Execution, PlanOptions, ask};
use crate::fail::Fail;
use crate::plan::{Outcome, Plan};
use crate::target::{Removal, Target};
use crate::walkthrough::progress;

/// Stop everything and remove what install made
#[derive(Debug, Args)]
pub(crate) struct UninstallCommand {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Keep the built servers
    #[arg(long)]
    keep_tools: bool,
    /// Delete this profile of minikube instead, with all that is in it
    #[arg(long, value_name = "PROFILE")]
    delete_minikube: Option<String>,
    /// How to run the plan.
    #[command(flatten)]
    plan: PlanOptions,
}

#[derive(Default, Serialize)]
struct Removed {
    removed: Vec<String>,
    /// Nothing where nothing was installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Ends>,
}

impl UninstallCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let removal = Removal {
            keep_tools: self.keep_tools,
            delete_minikube: self.delete_minikube.as_deref(),
        };
        if let Some(profile) = removal.delete_minikube {
            app.target_to_remove()?.require_profile(profile)?;
        }
        if !app.state.root().exists() && removal.keep_tools {
            app.ui.say("nothing to do: nothing is installed");
            return Ok(Answer::result(Removed::default()));
        }
        let _alone = app.lock_alone("uninstall", false, &self.plan)?;
        let target = app.target_to_remove()?;
        target.require_named()?;
        let plan = target.uninstall(removal)?;
        let stays = target.what_stays(removal);
        if !self.yes && !self.plan.dry_run {
            ask("uninstall", &target.removal_question(removal)?)?;
        }
        let ran = app.execute(target.as_ref(), &plan, &self.plan);
        let Execution::Finished(outcome) = ran.map_err(|error| hinted(target.as_ref(), &error))?
        else {
            return Ok(Answer::printed());
        };
        progress::forget(&app.state, app.chosen.kind)?;
        app.state.remove_if_empty()?;
        let removed = say_removed(app, &plan, &outcome);
        if let Some(stays) = stays {
            app.ui.say(stays);
        }
        let steps = Some(Ends::of(&outcome));
        Ok(Answer::result(Removed { removed, steps }))
    }
}

/// Says what a removal removed, and returns the names of those steps.
fn say_removed(app: &App, plan: &Plan, outcome: &Outcome) -> Vec<String> {
    let removed = outcome.done();
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
    removed
}

fn hinted(target: &dyn Target, error: &anyhow::Error) -> Fail {
    let hints = target.removal_hint().into_iter();
    hints.fold(Fail::from_error(error), Fail::hint)
}
