//! The removal of what install made on a cluster: everything that carries the
//! workshop's label, and the releases in its namespaces. Nothing else.

use anyhow::Result;

use super::helm::{CERT_MANAGER, SCAFFOLD};
use super::kubectl::Kubectl;
use super::steps::Refusal;
use super::{Cluster, LABEL, cert_manager, scaffold_release};
use crate::plan::{Plan, Step};
use crate::words;

/// What cert-manager's resource definitions carry.
const DEFINITIONS: &str =
    "--selector=app.kubernetes.io/name=cert-manager,app.kubernetes.io/instance=cert-manager";

impl Cluster {
    /// Adds the steps that remove everything. Each needs those before it that are in the
    /// same plan.
    pub(super) fn push_removal(&self, plan: &mut Plan) -> Result<()> {
        self.push_release_removal(plan)?;
        plan.push(self.binding_removal()?);
        self.push_rest_removal(plan)
    }

    /// Adds the steps that remove all but the binding of `oidc-reviewer`.
    pub(super) fn push_sigstore_removal(&self, plan: &mut Plan) -> Result<()> {
        self.push_release_removal(plan)?;
        self.push_rest_removal(plan)
    }

    fn push_release_removal(&self, plan: &mut Plan) -> Result<()> {
        plan.push(self.release_removal()?);
        let kubectl = self.kubectl()?;
        // Certificates first: cert-manager would make their Secrets again.
        let certificates = Step::new("certificates", "remove the certificates");
        let (kind, everywhere) = ("certificates.cert-manager.io", "--all-namespaces");
        plan.push(deletion(&kubectl, certificates, kind, everywhere));
        let issuers = Step::new("clusterissuers", "remove the issuer");
        plan.push(deletion(
            &kubectl,
            issuers,
            "clusterissuers.cert-manager.io",
            "",
        ));
        Ok(())
    }

    /// The step that removes the binding of `oidc-reviewer`.
    pub(super) fn binding_removal(&self) -> Result<Step> {
        let kind = "clusterrolebindings";
        let step = Step::new(kind, "remove the oidc-reviewer binding");
        Ok(deletion(&self.kubectl()?, step, kind, ""))
    }

    fn push_rest_removal(&self, plan: &mut Plan) -> Result<()> {
        let kubectl = self.kubectl()?;
        let title = "remove the registry, the trust material and the Jobs";
        plan.push(deletion(
            &kubectl,
            Step::new("objects", title).needs(["certificates"]),
            "jobs,deployments,services,ingresses,configmaps,secrets,persistentvolumeclaims",
            "--namespace=default",
        ));
        self.push_cert_manager_removal(plan)?;
        // That of cert-manager may have to stay.
        let ours = format!(
            "--selector={LABEL},kubernetes.io/metadata.name!={}",
            CERT_MANAGER.namespace
        );
        let delete = kubectl.delete(words!["namespaces", &ours]);
        let title = "remove the namespaces and all that is left in them";
        plan.push(
            Step::new("namespaces", title)
                .needs(["objects", "certificates", "cert-manager"])
                .done(move || {
                    let found = kubectl.list_with("namespaces", &[&ours])?;
                    Ok(found.is_empty().then(|| "there are none".to_owned()))
                })
                .run(delete),
        );
        Ok(())
    }

    fn release_removal(&self) -> Result<Step> {
        let (kubectl, helm) = (self.kubectl()?, self.helm()?);
        let uninstall = helm.uninstall(SCAFFOLD);
        Ok(Step::new(SCAFFOLD.chart, "uninstall Sigstore")
            .done(move || {
                // One that is stuck is uninstalled as well.
                let ours = scaffold_release::is_ours(&kubectl)? && helm.has(SCAFFOLD)?;
                Ok((!ours).then(|| "there is none that is the workshop's".to_owned()))
            })
            .xtask(Refusal::ForeignRelease.step())
            .run(uninstall))
    }

    fn push_cert_manager_removal(&self, plan: &mut Plan) -> Result<()> {
        let (kubectl, chart) = (self.kubectl()?, CERT_MANAGER.chart);
        let definitions = kubectl.delete(words!["customresourcedefinitions", DEFINITIONS]);
        let title = "uninstall cert-manager with its resource definitions";
        plan.push(
            Step::new(chart, title)
                .needs(["certificates", "clusterissuers", "scaffold"])
                .done(move || {
                    if !cert_manager::is_ours(&kubectl)? {
                        return Ok(Some("there is none that is the workshop's".to_owned()));
                    }
                    cert_manager::why_it_stays(&kubectl)
                })
                .xtask(Refusal::CertManagerInUse.step())
                // The release is what tells whose they are, so it goes last.
                .run(definitions)
                .run(self.helm()?.uninstall(CERT_MANAGER)),
        );
        plan.push(cert_manager_namespace_removal(self.kubectl()?));
        Ok(())
    }
}

fn cert_manager_namespace_removal(kubectl: Kubectl) -> Step {
    let namespace = CERT_MANAGER.namespace;
    let selector = format!("--selector={LABEL},kubernetes.io/metadata.name={namespace}");
    let delete = kubectl.delete(words!["namespaces", selector]);
    let title = "remove the namespace cert-manager";
    Step::new("cert-manager-namespace", title)
        .needs([CERT_MANAGER.chart])
        .done(move || {
            let found = kubectl.get("", &format!("namespace/{namespace}"))?;
            let ours = found.is_some_and(|found| found.is_ours());
            let goes = ours && !cert_manager::is_ours(&kubectl)?;
            Ok((!goes).then(|| "it is not there, or stays".to_owned()))
        })
        .xtask(Refusal::ForeignCertManager.step())
        .run(delete)
}

/// A step that deletes what of these kinds carries the workshop's label. The scope is
/// empty for what is in no namespace.
fn deletion(kubectl: &Kubectl, step: Step, kinds: &'static str, scope: &'static str) -> Step {
    let selector = format!("--selector={LABEL}");
    let mut words = words![kinds, &selector];
    if !scope.is_empty() {
        words.push(scope.into());
    }
    let delete = kubectl.delete(words);
    let kubectl = kubectl.clone();
    step.needs([SCAFFOLD.chart])
        .done(move || {
            let scope = match scope {
                "" => "--all-namespaces",
                scope => scope,
            };
            let found = kubectl.list_with(kinds, &[scope, &selector])?;
            Ok(found.is_empty().then(|| "there are none".to_owned()))
        })
        .run(delete)
}
