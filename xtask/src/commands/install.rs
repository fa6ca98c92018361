//! `install`: a private Sigstore, from nothing to ready.

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App, Changed, PlanOptions};
use crate::target::{InstallOptions, Summary};

/// Build, configure and start a private Sigstore
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask install
  cargo xtask install --rekor both
  cargo xtask install --dry-run
  cargo xtask --on minikube install")]
pub(crate) struct InstallCommand {
    /// What to install.
    #[command(flatten)]
    options: InstallOptions,
    /// How to run the plan.
    #[command(flatten)]
    plan: PlanOptions,
}

#[derive(Serialize)]
struct Installed {
    #[serde(flatten)]
    changed: Changed,
    sigstore: Summary,
}

impl InstallCommand {
    pub(crate) fn run(mut self, app: &App) -> Result<Answer> {
        self.options.ports = app.ports(self.options.ports)?;
        let started = std::time::Instant::now();
        let ran = app.change("install", &self.plan, |target| {
            target.install(&self.options)
        })?;
        let Some((target, changed)) = ran else {
            return Ok(Answer::printed());
        };
        let seconds = started.elapsed().as_secs_f64();
        let sigstore = target.summary()?;
        if changed.changed {
            app.ui
                .say(format!("a private Sigstore is ready after {seconds:.1} s"));
            app.ui.say(format!("  issuer    {}", sigstore.issuer));
            app.ui.say(format!("  registry  {}", sigstore.registry));
            app.ui.say(format!("  sample    {}", sigstore.sample));
            app.ui.next("cargo xtask sign");
        } else {
            app.ui
                .say("nothing to do: everything is installed and runs");
        }
        Ok(Answer::result(Installed { changed, sigstore }))
    }
}
