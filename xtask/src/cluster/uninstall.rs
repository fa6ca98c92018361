//! The removal of what install made on a cluster: everything that carries the
//! workshop's label, and the releases in its namespaces. Nothing else.

use anyhow::Result;
use serde_json::Value;

use super::plans::NAMESPACES;
use super::releases::{CERT_MANAGER, SCAFFOLD, Source};
use super::{Cluster, LABEL};
use crate::plan::{Plan, Step};
use crate::words;

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
            .run(self.kubectl(words![
                "delete",
                "namespaces",
                ours,
                "--ignore-not-found"
            ])?),
        );
        Ok(())
    }

    fn push_cert_manager_removal(&self, plan: &mut Plan) -> Result<()> {
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
                release.used_by_others()
            })
            // The release is what tells whose they are, so it goes last.
            .run(self.kubectl(words!["delete", kind, DEFINITIONS, "--ignore-not-found"])?)
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
            .run(self.kubectl(words![
                "delete",
                "namespace",
                namespace,
                "--ignore-not-found"
            ])?),
        );
        Ok(())
    }

    /// Why cert-manager has to stay, where it has to: what others made with it
    /// would go with it.
    fn used_by_others(&self) -> Result<Option<String>> {
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

    fn release_step(&self, source: Source) -> Result<Step> {
        let cluster = self.clone();
        let Source { chart, namespace } = source;
        Ok(Step::new(
            source.chart,
            format!("uninstall the release {}", source.chart),
        )
        .done(move || {
            // One that is stuck is uninstalled as well.
            let none = !cluster.is_released(source)?;
            Ok(none.then(|| "it is not installed".to_owned()))
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

/// Whether an object carries the workshop's label.
fn is_ours(object: &Value) -> bool {
    let (name, value) = LABEL.split_once('=').unwrap_or((LABEL, ""));
    object["metadata"]["labels"][name] == *value
}
