//! The removal of what install made on a cluster: everything that carries the
//! workshop's label, and the releases in its namespaces. Nothing else.

use anyhow::Result;

use super::releases::{CERT_MANAGER, SCAFFOLD, Source};
use super::{Cluster, LABEL};
use crate::plan::{Plan, Step};
use crate::words;
use serde_json::Value;

/// What cert-manager's resource definitions carry.
const DEFINITIONS: &str =
    "--selector=app.kubernetes.io/name=cert-manager,app.kubernetes.io/instance=cert-manager";

impl Cluster {
    /// Removes everything. Where the cluster does not answer, what is on this
    /// machine goes all the same with `--from forget`.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub fn uninstall_plan(&self) -> Result<Plan> {
        let mut plan = Plan::new("uninstall", self.globals.clone());
        for step in self.stop_plan(&[])?.steps {
            plan.push(step);
        }
        if self.settings.is_ok() {
            self.push_removal(&mut plan)?;
        }
        let dir = self.dir.clone();
        let needs: Vec<String> = plan.steps.iter().map(|step| step.name.clone()).collect();
        plan.push(
            Step::new("forget", format!("remove {}", self.dir.display()))
                .needs(needs)
                .done(move || Ok((!dir.exists()).then(|| "there is nothing".to_owned())))
                .run(crate::plan::Command::new(words![
                    "rm",
                    "-rf",
                    self.dir.as_path()
                ])),
        );
        Ok(plan)
    }

    fn push_removal(&self, plan: &mut Plan) -> Result<()> {
        plan.push(self.release_step(SCAFFOLD)?);
        plan.push(self.delete_step(
            Step::new(
                "objects",
                "remove the registry, the trust material and the Jobs",
            ),
            "jobs,deployments,services,configmaps,secrets",
            "--namespace=default",
        )?);
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
        let needs = ["certificates", "clusterissuers", "scaffold"];
        plan.push(self.release_step(CERT_MANAGER)?.needs(needs));
        let definitions = self.clone();
        plan.push(
            Step::new("definitions", "remove cert-manager's resource definitions")
                .needs(["cert-manager"])
                .done(move || {
                    let kind = "customresourcedefinitions";
                    let found = definitions.find_with(kind, &[DEFINITIONS])?;
                    if is_empty(found.as_ref()) {
                        return Ok(Some("there are none".to_owned()));
                    }
                    definitions.used_by_others()
                })
                .run(self.kubectl(words![
                    "delete",
                    "customresourcedefinitions",
                    DEFINITIONS,
                    "--ignore-not-found"
                ])?),
        );
        let namespaces = self.clone();
        plan.push(
            Step::new(
                "namespaces",
                "remove the namespaces and all that is left in them",
            )
            // The definitions are the workshop's while the namespace says so.
            .needs(["objects", "certificates", "definitions"])
            .done(move || {
                let selector = format!("--selector={LABEL}");
                let found = namespaces.find_with("namespaces", &[&selector])?;
                Ok(is_empty(found.as_ref()).then(|| "there are none".to_owned()))
            })
            .run(self.kubectl(words![
                "delete",
                "namespaces",
                format!("--selector={LABEL}"),
                "--ignore-not-found"
            ])?),
        );
        Ok(())
    }

    /// Why cert-manager has to stay, where it has to: what others made with it
    /// would go with it.
    fn used_by_others(&self) -> Result<Option<String>> {
        if self.has_foreign_cert_manager()? {
            return Ok(Some("cert-manager is not the workshop's".to_owned()));
        }
        let kinds =
            "certificates.cert-manager.io,issuers.cert-manager.io,clusterissuers.cert-manager.io";
        let name = LABEL.split('=').next().unwrap_or(LABEL);
        let others = format!("--selector=!{name}");
        let all = self.find_with(kinds, &["--all-namespaces", &others])?;
        let first = all.and_then(|all| all["items"].as_array()?.first().cloned());
        Ok(first.map(|object| {
            format!(
                "cert-manager stays: {} {} is not the workshop's",
                object["kind"].as_str().unwrap_or("something"),
                object["metadata"]["name"].as_str().unwrap_or_default()
            )
        }))
    }

    fn release_step(&self, source: Source) -> Result<Step> {
        let cluster = self.clone();
        let Source { chart, namespace } = source;
        Ok(Step::new(
            source.chart,
            format!("uninstall the release {}", source.chart),
        )
        .done(move || {
            // One that is stuck is uninstalled as well.
            if cluster
                .release(source)
                .is_ok_and(|release| release.is_none())
            {
                return Ok(Some("it is not installed".to_owned()));
            }
            if source == CERT_MANAGER {
                return cluster.used_by_others();
            }
            Ok(None)
        })
        .run(self.helm(words!["uninstall", chart, "--namespace", namespace])?))
    }

    fn delete_step(&self, step: Step, kinds: &str, scope: &str) -> Result<Step> {
        let selector = format!("--selector={LABEL}");
        let cluster = self.clone();
        let (wanted, label, at) = (kinds.to_owned(), selector.clone(), scope.to_owned());
        let mut words = words!["delete", kinds, selector, "--ignore-not-found"];
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
            .run(self.kubectl(words)?))
    }
}

/// Whether a list that kubectl printed has nothing in it.
fn is_empty(list: Option<&Value>) -> bool {
    list.is_none_or(|list| list["items"].as_array().is_none_or(Vec::is_empty))
}
