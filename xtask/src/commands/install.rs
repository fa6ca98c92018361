//! `install`, `start`, `stop`, `restart`: plans that bring the servers up or down.

use anyhow::Result;
use serde_json::{Value, json};

use super::{App, Ran, ends, makes_state};
use crate::cli::PlanOptions;
use crate::exec::interrupt;
use crate::plan::Plan;
use crate::target::InstallOptions;
use crate::target::Target;

pub fn run(app: &App, options: &InstallOptions, how: &PlanOptions) -> Result<Option<Value>> {
    let started = std::time::Instant::now();
    let result = change(app, "install", how, |target| target.install(options))?;
    let Some((target, mut result)) = result else {
        return Ok(None);
    };
    let changed = result["changed"] == json!(true);
    let seconds = started.elapsed().as_secs_f64();
    result["sigstore"] = json!(target.summary()?);
    if changed {
        let summary = &result["sigstore"];
        app.ui
            .say(format!("a private Sigstore is ready after {seconds:.1} s"));
        for (label, key) in [
            ("issuer", "issuer"),
            ("registry", "registry"),
            ("sample", "sample"),
        ] {
            app.ui.say(format!(
                "  {label:<9} {}",
                summary[key].as_str().unwrap_or_default()
            ));
        }
        app.ui.next("cargo xtask sign");
    } else {
        app.ui
            .say("nothing to do: everything is installed and runs");
    }
    Ok(Some(result))
}

pub fn start(app: &App, components: &[String], how: &PlanOptions) -> Result<Option<Value>> {
    // What cannot be started must not make a state directory.
    app.target()?.start(components)?;
    let result = change(app, "start", how, |target| target.start(components))?;
    Ok(result.map(|(_, result)| said(app, result, "started", "nothing to do: everything runs")))
}

pub fn stop(app: &App, components: &[String], how: &PlanOptions) -> Result<Option<Value>> {
    let result = change(app, "stop", how, |target| target.stop(components))?;
    Ok(result.map(|(_, result)| said(app, result, "stopped", "nothing to do: nothing runs")))
}

pub fn restart(app: &App, components: &[String], how: &PlanOptions) -> Result<Option<Value>> {
    let result = change(app, "restart", how, |target| target.restart(components))?;
    Ok(result.map(|(_, result)| said(app, result, "restarted", "nothing to do")))
}

/// Runs a plan that changes the installation, alone.
///
/// # Errors
/// Where another command is at work; the first failure of a step.
pub fn change(
    app: &App,
    name: &str,
    how: &PlanOptions,
    build: impl FnOnce(&dyn Target) -> Result<Plan>,
) -> Result<Option<(Box<dyn Target>, Value)>> {
    let _alone = if how.dry_run {
        None
    } else {
        // The first servers that are started begin an installation.
        app.state.lock(name, makes_state(name) || name == "start")?
    };
    let target = app.target()?;
    let waiting = || {
        app.ui
            .note("another install builds the same servers: waiting for it")
    };
    let _watch = interrupt::watch();
    let _shared = if how.dry_run || !makes_state(name) {
        None
    } else {
        target.lock_build(how.from.is_some(), &waiting)?
    };
    let plan = build(target.as_ref())?;
    Ok(match app.execute(target.as_ref(), &plan, how)? {
        Ran::Dry => None,
        Ran::Done(outcome) => {
            let result = json!({"changed": outcome.changed(), "steps": ends(&outcome)});
            Some((target, result))
        }
    })
}

fn said(app: &App, result: Value, changed: &str, unchanged: &str) -> Value {
    app.ui.say(if result["changed"] == json!(true) {
        changed
    } else {
        unchanged
    });
    result
}
