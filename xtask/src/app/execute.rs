//! Running a plan, or printing it.

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use super::{App, choose, repository};
use crate::exec::{self, interrupt};
use crate::plan::{Outcome, Plan, StepRunner, run, shell};
use crate::state::Lock;
use crate::ui::CommandPrefix;

/// Options of every command that runs a plan.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PlanOptions {
    /// Print the commands for a shell and run none
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Run the commands of this step, done or not, and of all that need it
    #[arg(long, value_name = "STEP")]
    pub(crate) from: Option<String>,
}

/// What a command that runs a plan came to.
pub(crate) enum Execution {
    /// The plan was printed only.
    Printed,
    /// The plan ran to its end.
    Finished(Outcome),
}

impl App {
    /// Runs a plan, or prints it where it is to run dry. A target that `--on` named
    /// is remembered by a run.
    pub(crate) fn execute(
        &self,
        runner: &dyn StepRunner,
        plan: &Plan,
        options: &PlanOptions,
    ) -> Result<Execution> {
        self.execute_some(runner, plan, vec![true; plan.steps.len()], options)
    }

    /// Runs a plan, where some of its steps may fail and the others count.
    pub(crate) fn execute_to_end(
        &self,
        runner: &dyn StepRunner,
        plan: &Plan,
        options: &PlanOptions,
    ) -> Result<Execution> {
        self.end_of(runner, plan, vec![true; plan.steps.len()], options)
    }

    /// Runs the chosen steps of a plan, or prints them.
    pub(crate) fn execute_some(
        &self,
        runner: &dyn StepRunner,
        plan: &Plan,
        chosen: Vec<bool>,
        options: &PlanOptions,
    ) -> Result<Execution> {
        Ok(match self.end_of(runner, plan, chosen, options)? {
            Execution::Finished(outcome) => Execution::Finished(outcome.all_done()?),
            printed => printed,
        })
    }

    fn end_of(
        &self,
        runner: &dyn StepRunner,
        plan: &Plan,
        mut chosen: Vec<bool>,
        options: &PlanOptions,
    ) -> Result<Execution> {
        if let Some(step) = &options.from {
            let from = plan.steps_from(step)?;
            chosen
                .iter_mut()
                .zip(from)
                .for_each(|(chosen, from)| *chosen &= from);
        }
        if options.dry_run {
            self.print(plan, &chosen);
            return Ok(Execution::Printed);
        }
        let made = makes_state(&plan.command) || self.state.path("version").exists();
        if self.named && made && plan.command != "uninstall" {
            self.state.create()?;
            choose::remember(self.chosen.kind, &self.state)?;
            let prefix = CommandPrefix::new(&[], &self.lead);
            let is_installed = repository::is_outside(&self.repo);
            self.ui.set_prefix(prefix.installed(is_installed));
        }
        let _watch = interrupt::watch();
        let force = options.from.is_some();
        run::run(plan, &chosen, force, runner, &self.ui).map(Execution::Finished)
    }

    fn print(&self, plan: &Plan, chosen: &[bool]) {
        if self.ui.style().json {
            let steps: Vec<Value> = plan
                .steps
                .iter()
                .zip(chosen)
                .filter(|(_, chosen)| **chosen)
                .map(|(step, _)| {
                    let commands = shell::commands(step, &plan.globals);
                    json!({"name": step.name, "title": step.title, "needs": step.needs, "commands": commands})
                })
                .collect();
            self.ui
                .event(&json!({"event": "plan", "command": plan.command, "steps": steps}));
            return;
        }
        let variables = exec::redirecting_variables();
        if !variables.is_empty() {
            self.ui.say(format!("unset {}", variables.join(" ")));
        }
        self.ui.script(shell::script(plan, chosen).trim_end());
    }

    /// The lock of a command that changes the installation, so that it is the only one.
    /// With `make` the state directory is made for it. A dry run changes nothing.
    pub(crate) fn lock_alone(
        &self,
        command: &str,
        make: bool,
        how: &PlanOptions,
    ) -> Result<Option<Lock>> {
        if how.dry_run {
            return Ok(None);
        }
        self.state.lock(command, make)
    }

    /// The lock of a command that uses the installation beside others that do.
    pub(crate) fn lock_shared(&self, how: &PlanOptions) -> Result<Option<Lock>> {
        if how.dry_run {
            return Ok(None);
        }
        self.state.share()
    }
}

/// Whether a command makes the state directory where there is none, and may have to
/// wait for another that builds the same servers.
pub(super) fn makes_state(command: &str) -> bool {
    ["install", "prefetch"].contains(&command)
}
