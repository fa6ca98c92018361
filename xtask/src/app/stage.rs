//! One stage of what `install` does on a cluster, as a command of its own.

use anyhow::Result;
use clap::Args;

use super::{Answer, App, Changed, Execution, PlanOptions};
use crate::exec::interrupt;
use crate::fail::{Fail, not_so};
use crate::plan::{Plan, Step};
use crate::target::{ClusterOptions, InstallStage};

/// The steps that a stage runs first, where it needs them: they cost nothing.
const FIRST: [&str; 2] = ["begin", "namespaces"];

/// A stage of an install on a cluster.
#[derive(Debug, Clone, Args)]
pub(crate) struct StageArgs {
    /// Also do first what it needs
    #[arg(long)]
    with_needs: bool,
    /// What a cluster is given.
    #[command(flatten)]
    cluster: ClusterOptions,
    /// How to run the plan.
    #[command(flatten)]
    plan: PlanOptions,
}

impl StageArgs {
    /// Does the stage.
    pub(crate) fn run(&self, app: &App, stage: InstallStage) -> Result<Answer> {
        let how = &self.plan;
        let _alone = app.lock_alone(stage.name(), true, how)?;
        let target = app.target()?;
        let _watch = interrupt::watch();
        let plan = target.stage(stage, &self.cluster)?;
        let own: Vec<bool> = plan.steps.iter().map(|step| is_of(stage, step)).collect();
        let needed = plan.needed_by(&own);
        let chosen = if self.with_needs {
            needed
        } else {
            if !how.dry_run {
                require(&plan, &own)?;
            }
            let first = |step: &Step| FIRST.contains(&step.name.as_str());
            let steps = plan.steps.iter().zip(&own).zip(&needed);
            steps
                .map(|((step, own), needed)| *own || (*needed && first(step)))
                .collect()
        };
        let ran = app.execute_some(target.as_ref(), &plan, chosen, how)?;
        let Execution::Finished(outcome) = ran else {
            return Ok(Answer::printed());
        };
        app.ui.say(if outcome.changed() {
            format!("done: {}", stage.name())
        } else {
            format!("nothing to do: {} is done", stage.name())
        });
        app.ui.next(&format!("cargo xtask {}", next(stage)));
        Ok(Answer::result(Changed::of(&outcome)))
    }
}

fn is_of(stage: InstallStage, step: &Step) -> bool {
    step.stage == Some(stage)
}

/// Fails where what these steps need directly is not done.
fn require(plan: &Plan, own: &[bool]) -> Result<()> {
    for (step, _) in plan.steps.iter().zip(own).filter(|(_, own)| **own) {
        for earlier in plan
            .steps
            .iter()
            .filter(|earlier| step.needs.contains(&earlier.name))
        {
            let Some(stage) = earlier.stage.filter(|of| step.stage != Some(*of)) else {
                continue;
            };
            let Some(done) = &earlier.done else { continue };
            if done()?.is_none() {
                return Err(missing(earlier, stage).into());
            }
        }
    }
    Ok(())
}

fn missing(step: &Step, stage: InstallStage) -> Fail {
    not_so(format!(
        "this needs what {} does, and that is not done",
        step.name
    ))
    .hint(format!(
        "do it first ({}): cargo xtask {}",
        step.title,
        stage.name()
    ))
    .hint("or have it done: add --with-needs")
}

/// The next stage in the text.
fn next(stage: InstallStage) -> &'static str {
    // It changes what is installed already, or is a step of what follows.
    if stage == InstallStage::Ingress {
        return "install";
    }
    let later = InstallStage::ALL
        .iter()
        .skip_while(|other| **other != stage)
        .skip(1);
    // The ingress is optional.
    let mut later = later.filter(|next| **next != InstallStage::Ingress);
    later.next().map_or("sign", |next| next.name())
}
