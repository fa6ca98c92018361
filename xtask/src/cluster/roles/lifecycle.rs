//! How the servers on a cluster are watched, and the forwards to them opened and ended.

use anyhow::Result;

use crate::cluster::facts::RemovalFacts;
use crate::cluster::probes::programs::inotify;
use crate::cluster::servers::{ClusterServer, forwarded, servers};
use crate::cluster::status::FORWARD;
use crate::cluster::steps::{HaltForward, LaunchForward};
use crate::cluster::{Cluster, forwards};
use crate::entry::Versions;
use crate::fail::broken;
use crate::plan::{Plan, Step};
use crate::preflight::Finding;
use crate::target::{Component, ComponentState, Installation, Lifecycle, Logs, PreflightOptions};
use crate::words;

impl Lifecycle for Cluster {
    /// Opens the persistent forwards, and ends those to servers that have gone.
    fn start(&self, components: &[String], port_base: Option<u16>) -> Result<Plan> {
        self.require_installed()?;
        self.require_ports(port_base)?;
        let facts = RemovalFacts::gather(self, &[])?;
        self.start_plan(components, &facts)
    }

    /// Ends the forwards, those of commands that were killed too.
    fn stop(&self, components: &[String]) -> Result<Plan> {
        let facts = RemovalFacts::gather(self, &[])?;
        self.stop_plan(components, &facts)
    }

    /// Ends the forwards and opens them again.
    fn restart(&self, components: &[String], port_base: Option<u16>) -> Result<Plan> {
        self.require_ports(port_base)?;
        let facts = RemovalFacts::gather(self, &[])?;
        self.restart_plan(components, &facts)
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
        // Where all are asked for, those that exist.
        let there: Vec<String> = match component {
            Some(name) => vec![name.to_owned()],
            None => {
                let all = self.status()?.into_iter();
                let all = all.filter(|component| component.state != ComponentState::Stopped);
                all.map(|component| component.name).collect()
            }
        };
        let all = servers(self.settings()?.rekor);
        let chosen: Vec<&ClusterServer> = all
            .clone()
            .filter(|server| there.iter().any(|there| there == server.name))
            .collect();
        if chosen.is_empty() {
            let names: Vec<&str> = all.map(|server| server.name).collect();
            let names = names.join(", ");
            return Err(broken(format!(
                "there is no component named {:?}",
                component.unwrap_or_default()
            ))
            .hint(format!("the components are: {names}"))
            .into());
        }
        let kubectl = self.kubectl()?;
        let print = |server: &ClusterServer| {
            let mut words = words!["logs", "--namespace", server.namespace];
            words.extend(words!["--all-containers", "--ignore-errors"]);
            words.push(format!("deployment/{}", server.deployment).into());
            (server.name.to_owned(), kubectl.command(words))
        };
        Ok(Logs::Programs(chosen.into_iter().map(print).collect()))
    }

    /// Runs every probe. A probe that cannot look is a finding as well.
    fn doctor(&self) -> Result<Vec<Finding>> {
        let mut findings = self.preflight(&PreflightOptions::default())?;
        // The probe of this name says more.
        findings.retain(|finding| finding.name != "tuf");
        let reachable = findings
            .iter()
            .any(|check| check.name == "cluster" && check.ok);
        findings.push(inotify());
        if reachable {
            findings.extend(self.probes()?);
        }
        Ok(findings)
    }
}

impl Cluster {
    /// Fails where other ports are asked for than those that were chosen: the choice is
    /// that of `install`.
    fn require_ports(&self, port_base: Option<u16>) -> Result<()> {
        let chosen = self.settings()?.port_base;
        match port_base.filter(|base| *base != chosen) {
            None => Ok(()),
            Some(base) => Err(broken(format!(
                "the forwards of this installation begin at port {chosen}"
            ))
            .hint(format!(
                "choose others: cargo xtask install --port-base {base}"
            ))
            .into()),
        }
    }

    /// The plan that opens forwards. It looks at nothing, as that which ends them.
    pub(in crate::cluster) fn start_plan(
        &self,
        components: &[String],
        facts: &RemovalFacts,
    ) -> Result<Plan> {
        let mut plan = Plan::new("start", self.globals());
        let rekor = self.settings()?.rekor;
        // `install` may have taken a version of Rekor away since one was opened to it.
        let has_gone = |name: &str| {
            let is_it = |server: &&ClusterServer| server.name == name;
            components.is_empty()
                && forwarded(Versions::Both).any(|server| is_it(&server))
                && !forwarded(rekor).any(|server| is_it(&server))
        };
        for name in facts.forwards.iter().filter(|name| has_gone(name)) {
            let component = name.clone();
            plan.push(HaltForward { component }.step(name, name));
        }
        for step in self.launches(components)? {
            plan.push(step);
        }
        Ok(plan)
    }

    /// The steps that open forwards.
    fn launches(&self, components: &[String]) -> Result<Vec<Step>> {
        let all = self.port_forwards()?;
        let chosen = forwards::chosen(components, self.settings()?.rekor)?;
        let chosen = chosen.into_iter();
        let launch = |server| LaunchForward::step(&all, &all.persistent(server));
        chosen.map(launch).collect()
    }

    /// The plan that ends forwards. It looks at nothing: which there are is among the
    /// facts.
    pub(in crate::cluster) fn stop_plan(
        &self,
        components: &[String],
        facts: &RemovalFacts,
    ) -> Result<Plan> {
        // One that was opened before a version of Rekor went can be ended as well.
        let chosen = forwards::chosen(components, Versions::Both)?;
        let mut plan = Plan::new("stop", self.globals());
        for name in &facts.forwards {
            let of = forwards::server_of(name);
            if chosen.iter().any(|server| server.name == of) {
                let component = name.clone();
                plan.push(HaltForward { component }.step(name, of));
            }
        }
        Ok(plan)
    }

    /// The plan that ends forwards and opens them again.
    pub(in crate::cluster) fn restart_plan(
        &self,
        components: &[String],
        facts: &RemovalFacts,
    ) -> Result<Plan> {
        let mut plan = self.stop_plan(components, facts)?;
        plan.command = "restart".to_owned();
        let ended: Vec<String> = plan.steps.iter().map(|step| step.name.clone()).collect();
        self.require_installed()?;
        for step in self.launches(components)? {
            let mut step = step.needs(ended.iter());
            step.done = None;
            plan.push(step);
        }
        Ok(plan)
    }
}
