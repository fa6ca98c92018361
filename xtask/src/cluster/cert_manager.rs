//! cert-manager: installed where the cluster has none, used where it has one, and
//! removed only where it is the workshop's and nobody else uses it. Whose it is, the
//! label of its release tells. A step is skipped where it would be wrong, and its
//! first command refuses, for whoever runs the commands without the question.

use anyhow::Result;

use super::objects::{is_empty, is_ours};
use super::plans::{NAMESPACES, ready};
use super::releases::{CERT_MANAGER, Source};
use super::steps::Refusal;
use super::{Cluster, LABEL};
use crate::fail::broken;
use crate::plan::{Plan, Step};
use crate::words;

/// What must hold once it is installed.
const CONDITIONS: &str = "deployment/cert-manager deployment/cert-manager-webhook deployment/cert-manager-cainjector accepts/deploy/clusterissuer-selfsigned-issuer.yml";

/// What its resource definitions carry.
const DEFINITIONS: &str =
    "--selector=app.kubernetes.io/name=cert-manager,app.kubernetes.io/instance=cert-manager";

impl Cluster {
    /// Adds the steps that install it.
    ///
    /// # Errors
    /// Where the chart or its values are not there.
    pub fn push_cert_manager(&self, plan: &mut Plan) -> Result<()> {
        let home = self.clone();
        let name = CERT_MANAGER.namespace;
        plan.push(
            Step::new("cert-manager-namespace", "make the namespace cert-manager")
                .needs(["namespaces"])
                .done(move || {
                    let found = home.find("", &format!("namespace/{name}"))?;
                    // One that is there keeps its labels: it is not the workshop's.
                    let there = found.is_some() || home.has_cert_manager()?;
                    Ok(there.then(|| "it is there, or not needed".to_owned()))
                })
                .run(self.apply_command(&["deploy/namespace-cert-manager.yml"])?),
        );
        let upgrade = [
            words!["upgrade", "--install", "--labels", LABEL],
            self.release_words(CERT_MANAGER)?,
        ]
        .concat();
        let cluster = self.clone();
        plan.push(
            Step::new("cert-manager", "install cert-manager")
                .needs(["begin", "cert-manager-namespace", "cert-manager-chart"])
                .done(move || {
                    if !cluster.owns_cert_manager()? {
                        let foreign = cluster.has_cert_manager()?;
                        let said = "the cluster has one that is not the workshop's";
                        return Ok(foreign.then(|| said.to_owned()));
                    }
                    let done = cluster.is_current(CERT_MANAGER)?
                        && cluster
                            .lacking(CERT_MANAGER.namespace, CONDITIONS)?
                            .is_empty();
                    Ok(done.then(|| "it is as it should be".to_owned()))
                })
                .xtask(Refusal::ForeignCertManager.step())
                .run(self.helm(upgrade)?)
                .ready(ready(CERT_MANAGER.namespace, CONDITIONS)),
        );
        Ok(())
    }

    /// Adds the steps that remove it.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub fn push_cert_manager_removal(&self, plan: &mut Plan) -> Result<()> {
        let Source { chart, namespace } = CERT_MANAGER;
        let kind = "customresourcedefinitions";
        let release = self.clone();
        plan.push(
            Step::new(
                chart,
                "uninstall cert-manager with its resource definitions",
            )
            .needs(["certificates", "clusterissuers", "scaffold"])
            .done(move || {
                if !release.owns_cert_manager()? {
                    return Ok(Some("there is none that is the workshop's".to_owned()));
                }
                release.cert_manager_in_use()
            })
            .xtask(Refusal::CertManagerInUse.step())
            // The release is what tells whose they are, so it goes last.
            .run(self.delete(words![kind, DEFINITIONS])?)
            .run(self.helm(words!["uninstall", chart, "--namespace", namespace])?),
        );
        let home = self.clone();
        plan.push(
            Step::new(
                "cert-manager-namespace",
                "remove the namespace cert-manager",
            )
            .needs([chart])
            .done(move || {
                let found = home.find("", &format!("namespace/{namespace}"))?;
                let ours = found.is_some_and(|found| is_ours(&found));
                let goes = ours && !home.owns_cert_manager()?;
                Ok((!goes).then(|| "it is not there, or stays".to_owned()))
            })
            .xtask(Refusal::ForeignCertManager.step())
            .run(self.delete(words![
                "namespaces",
                format!("--selector={LABEL},kubernetes.io/metadata.name={namespace}")
            ])?),
        );
        Ok(())
    }

    /// Whether the cluster has a cert-manager that works, whoever installed it.
    /// Resource definitions alone may have been left by one that is gone.
    ///
    /// # Errors
    /// Where the cluster does not answer.
    pub fn has_cert_manager(&self) -> Result<bool> {
        let selector = "--selector=app.kubernetes.io/name=cert-manager";
        let found = self.find_with("deployments", &["--all-namespaces", selector])?;
        Ok(!is_empty(found.as_ref()))
    }

    /// Whether the cert-manager of this cluster was installed by the workshop.
    ///
    /// # Errors
    /// Where the cluster does not answer.
    pub fn owns_cert_manager(&self) -> Result<bool> {
        let Source { chart, namespace } = CERT_MANAGER;
        let selector = format!("--selector=owner=helm,name={chart},{LABEL}");
        let found = self.find_with("secrets", &["--namespace", namespace, &selector])?;
        Ok(!is_empty(found.as_ref()))
    }

    /// Why the workshop's cert-manager has to stay, where it has to: what others made
    /// with it would go with it.
    fn cert_manager_in_use(&self) -> Result<Option<String>> {
        let kinds =
            "certificates.cert-manager.io,issuers.cert-manager.io,clusterissuers.cert-manager.io";
        let name = LABEL.split('=').next().unwrap_or(LABEL);
        let others = format!("--selector=!{name}");
        let all = self.find_with(kinds, &["--all-namespaces", &others])?;
        let all = all.and_then(|mut all| all["items"].as_array_mut().map(std::mem::take));
        // What cert-manager made for an Ingress of the workshop goes with it.
        let mut others = all.into_iter().flatten().filter(|object| {
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
            !NAMESPACES.contains(&namespace)
        });
        let first = others.next();
        Ok(first.map(|object| {
            format!(
                "cert-manager stays: {} {} is not the workshop's",
                object["kind"].as_str().unwrap_or("something"),
                object["metadata"]["name"].as_str().unwrap_or_default()
            )
        }))
    }

    /// Fails where the cluster has a cert-manager that is not the workshop's
    /// (`cargo xtask step refuse foreign-cert-manager`).
    ///
    /// # Errors
    /// Exactly then, or where the cluster does not answer.
    pub fn refuse_foreign_cert_manager(&self) -> Result<()> {
        if self.owns_cert_manager()? || !self.has_cert_manager()? {
            return Ok(());
        }
        Err(
            broken("the cert-manager of this cluster is not the workshop's, and stays as it is")
                .into(),
        )
    }

    /// The same, or where others use the workshop's (`cargo xtask step refuse
    /// cert-manager-in-use`).
    ///
    /// # Errors
    /// Exactly then, or where the cluster does not answer.
    pub fn refuse_used_cert_manager(&self) -> Result<()> {
        if !self.owns_cert_manager()? {
            return Err(broken("the cluster has no cert-manager that is the workshop's").into());
        }
        match self.cert_manager_in_use()? {
            Some(why) => Err(broken(why).into()),
            None => Ok(()),
        }
    }
}
