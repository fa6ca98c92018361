//! The steps of the text, each a command: a part of what `install` does.

use anyhow::Result;
use serde_json::{Value, json};

use super::{App, Ran, ends};
use crate::cli::PartOptions;
use crate::exec::interrupt;
use crate::fail::{Fail, not_so};
use crate::plan::{Plan, Step};
use crate::target::InstallStage;

/// The steps that every part begins with, where it needs them: they cost nothing.
const FIRST: [&str; 2] = ["begin", "namespaces"];

pub fn run(app: &App, part: InstallStage, options: &PartOptions) -> Result<Option<Value>> {
    let how = &options.plan;
    let _alone = if how.dry_run {
        None
    } else {
        app.state.lock(part.name(), true)?
    };
    let target = app.target()?;
    let _watch = interrupt::watch();
    let plan = target.stage(part, &options.cluster)?;
    let own: Vec<bool> = plan.steps.iter().map(|step| is_of(part, step)).collect();
    let needed = plan.needed_by(&own);
    let chosen = if options.with_needs {
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
    let Ran::Done(outcome) = app.execute_some(target.as_ref(), &plan, chosen, how)? else {
        return Ok(None);
    };
    app.ui.say(if outcome.changed() {
        format!("done: {}", part.name())
    } else {
        format!("nothing to do: {} is done", part.name())
    });
    app.ui.next(&format!("cargo xtask {}", next(part)));
    Ok(Some(
        json!({"changed": outcome.changed(), "steps": ends(&outcome)}),
    ))
}

fn is_of(part: InstallStage, step: &Step) -> bool {
    InstallStage::of(&step.name) == Some(part)
}

/// Fails where what these steps need directly is not done.
fn require(plan: &Plan, own: &[bool]) -> Result<()> {
    for (step, _) in plan.steps.iter().zip(own).filter(|(_, own)| **own) {
        for earlier in plan
            .steps
            .iter()
            .filter(|earlier| step.needs.contains(&earlier.name))
        {
            let Some(part) = InstallStage::of(&earlier.name)
                .filter(|of| InstallStage::of(&step.name) != Some(*of))
            else {
                continue;
            };
            let Some(done) = &earlier.done else { continue };
            if done()?.is_none() {
                return Err(missing(earlier, part).into());
            }
        }
    }
    Ok(())
}

fn missing(step: &Step, part: InstallStage) -> Fail {
    not_so(format!(
        "this needs what {} does, and that is not done",
        step.name
    ))
    .hint(format!(
        "do it first ({}): cargo xtask {}",
        step.title,
        part.name()
    ))
    .hint("or have it done: add --with-needs")
}

/// What follows in the text.
fn next(part: InstallStage) -> &'static str {
    // It changes what is installed already, or is a step of what follows.
    if part == InstallStage::Ingress {
        return "install";
    }
    let later = InstallStage::ALL
        .iter()
        .skip_while(|other| **other != part)
        .skip(1);
    // The ingress is for those who want it.
    let mut later = later.filter(|next| **next != InstallStage::Ingress);
    later.next().map_or("sign", |next| next.name())
}
