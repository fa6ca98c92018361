//! How the servers of the local target are started, watched and stopped.

use anyhow::Result;

use crate::local::{Local, plans};
use crate::parallel;
use crate::plan::Plan;
use crate::preflight::Finding;
use crate::target::{Component, Installation, Lifecycle, Logs, PreflightOptions};

impl Lifecycle for Local {
    fn start(&self, components: &[String], port_base: Option<u16>) -> Result<Plan> {
        let facts = self.facts()?;
        let local = self.clone().with_ports(port_base, &facts)?;
        plans::start(&local, &facts, components)
    }

    fn stop(&self, components: &[String]) -> Result<Plan> {
        for name in components {
            self.manifest.server(name)?;
        }
        let mut plan = Plan::new("stop", self.globals.clone());
        plans::push_stop(&mut plan, self, components, |_| true);
        Ok(plan)
    }

    fn restart(&self, components: &[String], port_base: Option<u16>) -> Result<Plan> {
        let facts = self.facts()?;
        let mut local = self.clone();
        match port_base {
            // All are stopped before.
            Some(base) if components.is_empty() => local.settings.port_base = base,
            _ => local = local.with_ports(port_base, &facts)?,
        }
        plans::restart(&local, &facts, components)
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
    fn doctor(&self) -> Result<Vec<Finding>> {
        let mut findings = self.preflight(&PreflightOptions::default())?;
        if self.installed {
            findings.push(self.servers_are_up()?);
            findings.push(self.logs_are_clean()?);
            findings.push(self.is_published()?);
        }
        Ok(findings)
    }
}

#[cfg(test)]
mod tests {
    use crate::local::plans;
    use crate::local::tests::{Machine, names};
    use crate::target::Lifecycle;

    #[test]
    fn a_server_is_started_after_those_it_needs() {
        let machine = Machine::built();
        let plan = plans::start(&machine.local, &machine.facts, &["fulcio".to_owned()]).unwrap();
        assert_eq!(names(&plan), ["keys", "configure", "dex", "fulcio"]);
        let fulcio = plan.steps.last().unwrap();
        assert!(fulcio.needs.contains(&"dex".to_owned()));
        assert_eq!(fulcio.title, "start Fulcio, the certificate authority");
    }

    /// With all keys there, the trust material names those of the server as well.
    #[test]
    fn what_is_trusted_is_written_again() {
        let mut machine = Machine::built();
        machine.facts.trusted = true;
        let plan = plans::start(&machine.local, &machine.facts, &["dex".to_owned()]).unwrap();
        let wanted = ["keys", "configure", "dex", "trust", "publish"];
        assert_eq!(names(&plan), wanted);
    }

    #[test]
    fn nothing_is_started_that_is_not_built_or_not_chosen() {
        let mut machine = Machine::built();
        let start = |machine: &Machine, name: &str| {
            let plan = plans::start(&machine.local, &machine.facts, &[name.to_owned()]);
            plan.err().map(|error| error.to_string())
        };
        let refused = start(&machine, "rekor-v1").unwrap();
        assert_eq!(refused, "this installation runs Rekor v2, not v1");
        assert!(start(&machine, "dox").unwrap().contains("no component"));
        machine.facts.missing = machine.local.manifest.programs.clone();
        assert!(start(&machine, "dex").unwrap().contains("not built"));
    }

    /// What another choice had started is stopped before.
    #[test]
    fn a_restart_stops_what_was_not_chosen() {
        let mut machine = Machine::built();
        machine.local.installed = true;
        machine.facts.started.insert("rekor-v1".to_owned());
        let plan = plans::restart(&machine.local, &machine.facts, &["tiles".to_owned()]).unwrap();
        assert_eq!(names(&plan)[..3], ["stop-tiles", "stop-rekor-v1", "keys"]);
    }

    #[test]
    fn servers_stop_before_those_they_need() {
        let machine = Machine::built();
        let stop = names(&machine.local.stop(&[]).unwrap());
        let at = |name: &str| stop.iter().position(|step| step == name).unwrap();
        assert!(at("stop-fulcio") < at("stop-dex"));
        let all = machine.local.removal_plan(false);
        assert_eq!(names(&all)[stop.len()..], ["state", "tools"]);
        let kept = machine.local.removal_plan(true);
        let state = kept.steps.last().unwrap();
        assert_eq!((state.name.as_str(), &state.needs), ("state", &stop));
    }
}
