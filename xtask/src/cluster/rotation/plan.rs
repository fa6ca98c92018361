//! The plan that replaces a key of a cluster.

use anyhow::Result;
use clap::ValueEnum;

use super::{Turning, ct_logs, turning};
use crate::cluster::Cluster;
use crate::cluster::copies::next_of;
use crate::cluster::forwards::{Forwards, remembered};
use crate::cluster::install::{WITHIN, ready};
use crate::cluster::kubectl::Kubectl;
use crate::cluster::servers::{ClusterServer, forwarded};
use crate::cluster::steps::{
    AcceptNext, ClusterTrust, CopySecrets, FirstClusterEntry, ForgetNext, LaunchForward, MakeNext,
    Retire, Switch, TufKey,
};
use crate::entry::{Version, Versions};
use crate::fail::broken;
use crate::parallel;
use crate::plan::{Plan, Ready, Step};
use crate::target::RotatedKey;

/// What the plan of a rotation has to know.
#[derive(Debug, Clone, Default)]
pub(crate) struct RotationFacts {
    /// The keys whose next one is made.
    pub(crate) begun: Vec<RotatedKey>,
    /// The servers to which `start` opened a forward.
    pub(crate) forwarded: Vec<&'static ClusterServer>,
}

impl RotationFacts {
    /// Asks the cluster which keys turn, and this machine for its forwards.
    pub(crate) fn gather(forwards: &Forwards, rekor: Versions) -> Result<RotationFacts> {
        let kubectl = &forwards.kubectl;
        let remembered = remembered(&forwards.dir);
        let all = Turning::value_variants().iter().copied();
        let all: Vec<_> = all.filter(|server| server.server().runs(rekor)).collect();
        let look = |server: &Turning| {
            let next = next_of(kubectl, server.server())?;
            Ok(next.map(|_| server.key()))
        };
        let begun: Result<Vec<_>> = parallel::each(&all, look).into_iter().collect();
        let is_open = |server: &&ClusterServer| remembered.iter().any(|name| name == server.name);
        Ok(RotationFacts {
            begun: begun?.into_iter().flatten().collect(),
            forwarded: forwarded(rekor).filter(is_open).collect(),
        })
    }
}

impl Cluster {
    /// Replaces a key. Every step tells whether it is done, so that a rotation that was
    /// interrupted goes on with the key that it had made.
    pub(in crate::cluster) fn rotate_plan(
        &self,
        key: RotatedKey,
        facts: &RotationFacts,
    ) -> Result<Plan> {
        let all = turning(key, self.settings()?.rekor)?;
        if let Some(other) = facts.begun.iter().find(|begun| **begun != key) {
            let name = other.name();
            return Err(
                broken(format!("the key of {name} turns, and it has not ended"))
                    .hint(format!("end it first: cargo xtask rotate {name}"))
                    .into(),
            );
        }
        let kubectl = self.kubectl()?;
        let mut plan = Plan::new("rotate", self.globals());
        match key {
            RotatedKey::Tuf => {
                plan.push(TufKey::step(self));
                self.push_publication(&mut plan, "publish", TufKey::STEP);
            }
            RotatedKey::Registry => self.push_registry_key(&mut plan, &kubectl)?,
            _ => self.push_trusted_key(&mut plan, &kubectl, key, &all)?,
        }
        for (i, server) in all.iter().enumerate() {
            let forget = ForgetNext::step(&kubectl, *server)?;
            push(&mut plan, each("forget-next-key", i, *server, forget));
        }
        self.push_forwards(&mut plan, facts)?;
        Ok(plan)
    }

    /// Adds the steps that open the forwards of `start` again: each ended with the pod that
    /// it led to, and clients on this machine are to notice nothing of a rotation.
    fn push_forwards(&self, plan: &mut Plan, facts: &RotationFacts) -> Result<()> {
        let all = self.port_forwards()?;
        for server in &facts.forwarded {
            push(plan, LaunchForward::step(&all, &all.persistent(server))?);
        }
        Ok(())
    }

    /// Adds the steps for a key that is in the trusted root: verifiers first, signers
    /// second.
    fn push_trusted_key(
        &self,
        plan: &mut Plan,
        kubectl: &Kubectl,
        key: RotatedKey,
        all: &[Turning],
    ) -> Result<()> {
        push_next_keys(plan, kubectl, all)?;
        push(plan, CopySecrets::step(self)?.named("copy-next-key"));
        push(plan, ClusterTrust::step(self).named("trust-next-key"));
        self.push_publication(plan, "publish-next-key", "trust-next-key");
        if key == RotatedKey::Fulcio {
            for (i, log) in ct_logs(self.settings()?.rekor).enumerate() {
                let accept = AcceptNext::step(kubectl, log);
                let accept = accept.ready(ready(log.server().namespace, log.server().ready));
                push(plan, each("accept-next-key", i, log, accept));
            }
        }
        push_switches(plan, kubectl, all)?;
        if all.contains(&Turning::RekorV2) {
            push(plan, FirstClusterEntry::step(self, Version::V2));
        }
        push(plan, CopySecrets::step(self)?);
        push(plan, Retire::step(self, key));
        self.push_publication(plan, "publish", "retire");
        Ok(())
    }

    /// Adds the steps for the key of the registry: its clients trust both certificates
    /// until it shows the next one.
    fn push_registry_key(&self, plan: &mut Plan, kubectl: &Kubectl) -> Result<()> {
        push_next_keys(plan, kubectl, &[Turning::Registry])?;
        push(plan, ClusterTrust::step(self).named("trust-next-key"));
        push_switches(plan, kubectl, &[Turning::Registry])?;
        push(plan, Retire::step(self, RotatedKey::Registry));
        Ok(())
    }
}

fn push_next_keys(plan: &mut Plan, kubectl: &Kubectl, all: &[Turning]) -> Result<()> {
    for (i, server) in all.iter().enumerate() {
        let next = server.next()?;
        let make = MakeNext::step(kubectl, *server)?.ready(Ready::Objects {
            namespace: server.server().namespace.to_owned(),
            conditions: vec![format!("secret/{}:{}", next.secret, next.key)],
            within: WITHIN,
        });
        push(plan, each("next-key", i, *server, make));
    }
    Ok(())
}

fn push_switches(plan: &mut Plan, kubectl: &Kubectl, all: &[Turning]) -> Result<()> {
    for (i, server) in all.iter().enumerate() {
        let row = server.server();
        let switch = Switch::step(kubectl, *server).ready(ready(row.namespace, row.ready));
        push(plan, each("switch", i, *server, switch));
    }
    Ok(())
}

/// A step of one server of several: that of the first has the short name.
fn each(name: &str, i: usize, server: Turning, step: Step) -> Step {
    match i {
        0 => step.named(name),
        _ => step.named(&format!("{name}-{}", server.name())),
    }
}

/// Adds a step that comes after all of before.
fn push(plan: &mut Plan, step: Step) {
    let last = plan.steps.last().map(|last| last.name.clone());
    plan.push(step.needs(last));
}
