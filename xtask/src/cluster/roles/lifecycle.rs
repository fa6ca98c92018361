//! How the servers on a cluster are watched, and the forwards to them opened and ended.

use anyhow::Result;

use crate::cluster::Cluster;
use crate::cluster::doctor::inotify;
use crate::cluster::status::{COMPONENTS, FORWARD};
use crate::cluster::steps::HaltForward;
use crate::fail::broken;
use crate::plan::{Plan, Step};
use crate::preflight::Check;
use crate::target::{Component, ComponentState, Installation, Lifecycle, Logs, PreflightOptions};
use crate::words;

impl Lifecycle for Cluster {
    /// Opens the lasting forwards.
    fn start(&self, components: &[String]) -> Result<Plan> {
        self.require_installed()?;
        let mut plan = Plan::new("start", self.globals.clone());
        for forward in self.chosen_forwards(components)? {
            plan.push(self.open_step(&self.lasting(forward)?)?);
        }
        Ok(plan)
    }

    /// Ends the forwards, those of commands that were killed too.
    fn stop(&self, components: &[String]) -> Result<Plan> {
        let chosen = self.chosen_forwards(components)?;
        let mut plan = Plan::new("stop", self.globals.clone());
        for name in self.remembered()? {
            let of = name.split('-').next().unwrap_or_default();
            if !chosen.iter().any(|forward| forward.name == of) {
                continue;
            }
            plan.push(
                Step::new(format!("close-{name}"), format!("end the forward to {of}")).xtask(
                    HaltForward {
                        component: name.clone(),
                    },
                ),
            );
        }
        Ok(plan)
    }

    /// Ends the forwards and opens them again.
    fn restart(&self, components: &[String]) -> Result<Plan> {
        let mut plan = self.stop(components)?;
        plan.command = "restart".to_owned();
        let ended: Vec<String> = plan.steps.iter().map(|step| step.name.clone()).collect();
        for step in self.start(components)?.steps {
            let mut step = step.needs(ended.iter());
            step.done = None;
            plan.push(step);
        }
        Ok(plan)
    }

    /// Looks at every component, and at the forwards that are open.
    fn status(&self) -> Result<Vec<Component>> {
        self.require_installed()?;
        let mut all = self.servers()?;
        all.extend(self.forwards()?);
        Ok(all)
    }

    fn why_down(&self, components: &[&str]) -> &'static str {
        if components.iter().all(|name| name.starts_with(FORWARD)) {
            "cargo xtask start"
        } else {
            "see why: cargo xtask doctor"
        }
    }

    fn logs(&self, component: Option<&str>) -> Result<Logs> {
        self.require_installed()?;
        // Of all, those that are there.
        let there: Vec<String> = match component {
            Some(name) => vec![name.to_owned()],
            None => {
                let all = self.status()?.into_iter();
                let all = all.filter(|component| component.state != ComponentState::Stopped);
                all.map(|component| component.name).collect()
            }
        };
        let chosen: Vec<_> = COMPONENTS
            .iter()
            .filter(|(name, ..)| there.iter().any(|there| there == name))
            .collect();
        if chosen.is_empty() {
            let names = COMPONENTS.map(|(name, ..)| name).join(", ");
            return Err(broken(format!(
                "there is no component named {:?}",
                component.unwrap_or_default()
            ))
            .hint(format!("the components are: {names}"))
            .into());
        }
        let print = |&(name, namespace, deployment): &(&str, &str, &str)| {
            let words = words![
                "logs",
                "--namespace",
                namespace,
                "--all-containers",
                "--ignore-errors",
                format!("deployment/{deployment}")
            ];
            Ok((name.to_owned(), self.kubectl(words)?))
        };
        chosen
            .into_iter()
            .map(print)
            .collect::<Result<_>>()
            .map(Logs::Programs)
    }

    /// Runs every probe. A probe that cannot look is a finding as well.
    fn doctor(&self) -> Result<Vec<Check>> {
        let mut checks = self.preflight(&PreflightOptions::default())?;
        let reachable = checks
            .iter()
            .any(|check| check.name == "cluster" && check.ok);
        checks.push(inotify());
        if reachable {
            checks.extend(self.probes());
        }
        Ok(checks)
    }
}
