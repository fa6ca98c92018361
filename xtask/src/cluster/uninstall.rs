//! The removal of what install made on a cluster: everything that carries the
//! workshop's label, and the releases in its namespaces. Nothing else.

use anyhow::Result;

use super::objects::{is_empty, is_ours};
use super::releases::{CERT_MANAGER, SCAFFOLD, Source};
use super::steps::Refusal;
use super::{Cluster, LABEL};
use crate::fail::broken;
use crate::plan::{Command, Plan, Step, Word};
use crate::words;

impl Cluster {
    pub(super) fn push_removal(&self, plan: &mut Plan) -> Result<()> {
        plan.push(self.scaffold_step()?);
        // Certificates first: cert-manager would make their Secrets again.
        for (kind, title) in [
            ("certificates.cert-manager.io", "remove the certificates"),
            ("clusterissuers.cert-manager.io", "remove the issuer"),
            ("clusterrolebindings", "remove the oidc-reviewer binding"),
        ] {
            let name = kind.split('.').next().unwrap_or(kind);
            let scope = if name == "certificates" {
                "--all-namespaces"
            } else {
                ""
            };
            plan.push(self.delete_step(Step::new(name, title), kind, scope)?);
        }
        plan.push(
            self.delete_step(
                Step::new(
                    "objects",
                    "remove the registry, the trust material and the Jobs",
                )
                .needs(["certificates"]),
                "jobs,deployments,services,configmaps,secrets",
                "--namespace=default",
            )?,
        );
        self.push_cert_manager_removal(plan)?;
        let namespaces = self.clone();
        // That of cert-manager may have to stay.
        let ours = format!(
            "--selector={LABEL},kubernetes.io/metadata.name!={}",
            CERT_MANAGER.namespace
        );
        let selector = ours.clone();
        plan.push(
            Step::new(
                "namespaces",
                "remove the namespaces and all that is left in them",
            )
            .needs(["objects", "certificates", "cert-manager"])
            .done(move || {
                let found = namespaces.find_with("namespaces", &[&selector])?;
                Ok(is_empty(found.as_ref()).then(|| "there are none".to_owned()))
            })
            .run(self.delete(words!["namespaces", ours])?),
        );
        Ok(())
    }

    fn scaffold_step(&self) -> Result<Step> {
        let cluster = self.clone();
        let Source { chart, namespace } = SCAFFOLD;
        Ok(Step::new(chart, "uninstall Sigstore")
            .done(move || {
                let home = cluster.find("", &format!("namespace/{namespace}"))?;
                // One that is stuck is uninstalled as well.
                let ours =
                    home.is_some_and(|home| is_ours(&home)) && cluster.is_released(SCAFFOLD)?;
                Ok((!ours).then(|| "there is none that is the workshop's".to_owned()))
            })
            .xtask(Refusal::ForeignRelease.step())
            .run(self.helm(words!["uninstall", chart, "--namespace", namespace])?))
    }

    /// Fails where the release is not the workshop's (`cargo xtask step refuse
    /// foreign-release`): its namespace tells.
    ///
    /// # Errors
    /// Exactly then, or where the cluster does not answer.
    pub fn refuse_foreign_release(&self) -> Result<()> {
        let home = self.find("", &format!("namespace/{}", SCAFFOLD.namespace))?;
        if home.is_some_and(|home| is_ours(&home)) {
            return Ok(());
        }
        Err(broken("the release scaffold is not the workshop's, and stays as it is").into())
    }

    /// A deletion that does not wait for ever: by itself kubectl would wait a week.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub fn delete(&self, words: Vec<Word>) -> Result<Command> {
        let all = [
            words!["delete"],
            words,
            words!["--ignore-not-found", "--timeout=300s"],
        ];
        self.kubectl(all.concat())
    }

    fn delete_step(&self, step: Step, kinds: &str, scope: &str) -> Result<Step> {
        let selector = format!("--selector={LABEL}");
        let cluster = self.clone();
        let (wanted, label, at) = (kinds.to_owned(), selector.clone(), scope.to_owned());
        let mut words = words![kinds, selector];
        if !scope.is_empty() {
            words.push(scope.into());
        }
        Ok(step
            .needs(["scaffold"])
            .done(move || {
                let scope = if at.is_empty() {
                    "--all-namespaces"
                } else {
                    &at
                };
                let found = cluster.find_with(&wanted, &[scope, &label])?;
                Ok(is_empty(found.as_ref()).then(|| "there are none".to_owned()))
            })
            .run(self.delete(words)?))
    }
}
