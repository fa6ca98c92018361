//! The plan that replaces a key of a cluster.

use anyhow::Result;

use super::turning;
use crate::cluster::Cluster;
use crate::cluster::copies::next_of;
use crate::cluster::install::{WITHIN, ready};
use crate::cluster::kubectl::Kubectl;
use crate::cluster::servers::CTLOG;
use crate::cluster::steps::{
    AcceptNext, ClusterTrust, CopySecrets, ForgetNext, MakeNext, Retire, Switch,
};
use crate::fail::broken;
use crate::plan::{Plan, Ready};
use crate::target::RotatedKey;

/// The keys that turn on a cluster.
const TURNING: [RotatedKey; 3] = [RotatedKey::Fulcio, RotatedKey::Ctlog, RotatedKey::Rekor];

/// What the plan of a rotation has to know.
#[derive(Debug, Clone, Default)]
pub(crate) struct RotationFacts {
    /// The keys whose next one is made.
    pub(crate) begun: Vec<RotatedKey>,
}

impl RotationFacts {
    /// Asks the cluster which keys turn.
    pub(crate) fn gather(kubectl: &Kubectl) -> Result<RotationFacts> {
        let mut begun = Vec::new();
        for key in TURNING {
            if next_of(kubectl, turning(key)?.0)?.is_some() {
                begun.push(key);
            }
        }
        Ok(RotationFacts { begun })
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
        let (server, next) = turning(key)?;
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
        let make = MakeNext::step(&kubectl, key, server, next);
        plan.push(make.ready(Ready::Objects {
            namespace: server.namespace.to_owned(),
            conditions: vec![format!("secret/{}:{}", next.secret, next.key)],
            within: WITHIN,
        }));
        let copy = CopySecrets::step(self)?.named("copy-next-key");
        plan.push(copy.needs(["next-key"]));
        // Verifiers first, signers second.
        let trust = ClusterTrust::step(self).named("trust-next-key");
        plan.push(trust.needs(["copy-next-key"]));
        let mut needs = vec!["trust-next-key"];
        if key == RotatedKey::Fulcio {
            let accept = AcceptNext::step(&kubectl).needs(needs.clone());
            plan.push(accept.ready(ready(CTLOG.namespace, CTLOG.ready)));
            needs.push("accept-next-key");
        }
        let switch = Switch::step(&kubectl, key, server, next).needs(needs);
        plan.push(switch.ready(ready(server.namespace, server.ready)));
        plan.push(CopySecrets::step(self)?.needs(["switch"]));
        plan.push(Retire::step(self, key, server).needs(["copy-secrets"]));
        plan.push(ForgetNext::step(&kubectl, key, server, next).needs(["retire"]));
        Ok(plan)
    }
}
