//! How the servers of the local target are started, watched and stopped.

use anyhow::Result;

use crate::local::Local;
use crate::parallel;
use crate::plan::Plan;
use crate::preflight::Check;
use crate::target::{Component, Installation, Lifecycle, Logs, PreflightOptions};

impl Lifecycle for Local {
    /// Starts what does not run: the named servers and what they need. Those that are
    /// named may be the first of an installation that `install` completes later.
    fn start(&self, components: &[String]) -> Result<Plan> {
        if components.is_empty() {
            self.require_installed()?;
        }
        self.require_startable(components)?;
        let mut plan = Plan::new("start", self.globals.clone());
        self.push_start(&mut plan, &self.with_needs(components))?;
        Ok(plan)
    }

    fn stop(&self, components: &[String]) -> Result<Plan> {
        for name in components {
            self.manifest.server(name)?;
        }
        let mut plan = Plan::new("stop", self.globals.clone());
        self.push_stop(&mut plan, components, |_| true);
        Ok(plan)
    }

    /// Stops the named servers, then starts whatever does not run: what needed one of
    /// them may need a restart as well.
    fn restart(&self, components: &[String]) -> Result<Plan> {
        self.require_installed()?;
        self.require_startable(components)?;
        let mut plan = Plan::new("restart", self.globals.clone());
        self.push_stop(&mut plan, components, |_| true);
        self.push_start(&mut plan, &[])?;
        Ok(plan)
    }

    fn status(&self) -> Result<Vec<Component>> {
        self.require_installed()?;
        let servers: Vec<_> = self.manifest.chosen(self.settings.rekor).collect();
        parallel::each(&servers, |server| self.component(server))
            .into_iter()
            .collect()
    }

    fn why_down(&self, _: &[&str]) -> &'static str {
        "cargo xtask start"
    }

    fn logs(&self, component: Option<&str>) -> Result<Logs> {
        self.require_installed()?;
        let names = match component {
            Some(name) => vec![self.chosen_server(name)?.name.clone()],
            None => self
                .manifest
                .chosen(self.settings.rekor)
                .map(|server| server.name.clone())
                .collect(),
        };
        Ok(Logs::Files(
            names
                .into_iter()
                .map(|name| (name.clone(), self.dir.join(format!("logs/{name}.log"))))
                .collect(),
        ))
    }

    /// Looks at the machine, at every server, and for known problems in what they
    /// printed last.
    fn doctor(&self) -> Result<Vec<Check>> {
        let mut checks = self.preflight(&PreflightOptions::default())?;
        if self.installed {
            checks.push(self.servers_are_up()?);
            checks.push(self.logs_are_clean()?);
        }
        Ok(checks)
    }
}
