//! cert-manager: installed where the cluster has none, used where it has one. A step is
//! skipped where it would be wrong, and its first command refuses, for those who run the
//! commands without the question.

use anyhow::Result;

use super::ready;
use crate::cluster::charts::Charts;
use crate::cluster::conditions::all_hold;
use crate::cluster::helm::CERT_MANAGER;
use crate::cluster::object::LABEL;
use crate::cluster::steps::Refusal;
use crate::cluster::{Cluster, cert_manager, servers};
use crate::plan::{Plan, Step};
use crate::words;

impl Cluster {
    /// Adds the steps that install it.
    pub(super) fn push_cert_manager(&self, plan: &mut Plan, charts: &Charts) -> Result<()> {
        plan.push(self.cert_manager_namespace_step()?);
        let (kubectl, helm, charts) = (self.kubectl()?, self.helm()?, charts.clone());
        let mut upgrade = words!["upgrade", "--install", "--labels", LABEL];
        upgrade.extend(charts.release_words(CERT_MANAGER));
        let upgrade = helm.command(upgrade);
        let (namespace, conditions) = (CERT_MANAGER.namespace, servers::CERT_MANAGER.ready);
        plan.push(
            Step::new("cert-manager", "install cert-manager")
                .needs(["begin", "cert-manager-namespace", "cert-manager-chart"])
                .done(move || {
                    if !cert_manager::is_ours(&kubectl)? {
                        let foreign = cert_manager::is_there(&kubectl)?;
                        let said = "the cluster has one that is not the workshop's";
                        return Ok(foreign.then(|| said.to_owned()));
                    }
                    let done = charts.is_current(&helm, CERT_MANAGER)?
                        && all_hold(&kubectl, namespace, conditions)?;
                    Ok(done.then(|| "it is as it should be".to_owned()))
                })
                .xtask(Refusal::ForeignCertManager.step())
                .run(upgrade)
                .ready(ready(namespace, conditions)),
        );
        Ok(())
    }

    fn cert_manager_namespace_step(&self) -> Result<Step> {
        let kubectl = self.kubectl()?;
        let apply = kubectl.apply_manifests(&["deploy/namespace-cert-manager.yml"]);
        let title = "make the namespace cert-manager";
        Ok(Step::new("cert-manager-namespace", title)
            .needs(["namespaces"])
            .done(move || {
                let home = format!("namespace/{}", CERT_MANAGER.namespace);
                let found = kubectl.get("", &home)?;
                // One that is there keeps its labels: it is not the workshop's.
                let there = found.is_some() || cert_manager::is_there(&kubectl)?;
                Ok(there.then(|| "it is there, or not needed".to_owned()))
            })
            .run(apply))
    }

    pub(super) fn issuer_step(&self) -> Result<Step> {
        let title = "add an issuer of self-signed certificates";
        self.apply_step(
            Step::new("issuer", title).needs(["namespaces", "cert-manager"]),
            "deploy/clusterissuer-selfsigned-issuer.yml",
            "clusterissuer/selfsigned-issuer",
        )
    }
}
