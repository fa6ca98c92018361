//! The plans of a cluster: prefetch, install and each of its parts.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::objects::{DEFAULT, is_ours};
use super::releases::{CERT_MANAGER, SCAFFOLD, Source};
use super::scaffold::{CTLOG, FULCIO, INGRESS_TLS};
use super::steps::{ClusterTrust, CopySecrets, Refusal};
use super::trust::CONFIG_MAP;
use super::{APPLY, Cluster};
use crate::fail::broken;
use crate::plan::{Command, Plan, Ready, Step};
use crate::target::TargetKind;
use crate::target::steps::Preflight;
use crate::words;

/// How long the servers of a chart may take: images have to be fetched first.
const READY: Duration = Duration::from_secs(600);

/// The issuer that the chart has Fulcio believe; minikube is started with it.
pub const ISSUER: &str = "https://kubernetes.default.svc";

/// The namespaces of `deploy/namespaces.yml`.
pub const NAMESPACES: [&str; 5] = [
    "sigstore",
    "fulcio-system",
    "ctlog-system",
    "rekor-system",
    "trillian-system",
];

impl Cluster {
    /// Whether an install has come to its end here: what it looks at and fetches
    /// first needs no second time. A minikube that does not run cannot be asked.
    ///
    /// # Errors
    /// Where the cluster does not answer.
    pub fn finished(&self) -> Result<Option<String>> {
        if !self.installed || (self.kind == TargetKind::Minikube && !self.minikube_runs()?) {
            return Ok(None);
        }
        let map = self.find(DEFAULT, &format!("configmap/{CONFIG_MAP}"))?;
        Ok(map.map(|_| "Sigstore is installed".to_owned()))
    }

    pub(super) fn push_install(&self, plan: &mut Plan) -> Result<()> {
        plan.push(self.begin_step()?);
        let looked = self.clone();
        plan.push(
            Step::new("preflight", "check what machine and cluster have")
                .needs(["begin"])
                .done(move || looked.finished())
                .xtask(Preflight::default()),
        );
        if self.kind == TargetKind::Minikube {
            plan.push(self.minikube_step()?);
        }
        plan.push(self.namespaces_step()?);
        if self.kind == TargetKind::Minikube {
            plan.push(self.job_image_step()?);
            if self.settings()?.ingress.is_some() {
                plan.push(self.ingress_step()?);
            }
        }
        plan.push(self.apply_step(
            Step::new("oidc-reviewer", "let everybody read the discovery document"),
            &["deploy/crb-oidc-reviewer.yml"],
            ("", "clusterrolebinding/oidc-reviewer"),
        )?);
        for source in [CERT_MANAGER, SCAFFOLD] {
            if let Some(step) = self.chart_step(source)? {
                plan.push(step);
            }
        }
        self.push_cert_manager(plan)?;
        plan.push(
            self.apply_step(
                Step::new("issuer", "add an issuer of self-signed certificates"),
                &["deploy/clusterissuer-selfsigned-issuer.yml"],
                ("", "clusterissuer/selfsigned-issuer"),
            )?
            .needs(["cert-manager"]),
        );
        self.push_scaffold(plan)?;
        self.push_registry(plan)?;
        let copies = self.clone();
        plan.push(
            Step::new(
                "copy-secrets",
                "copy the public keys to the namespace default",
            )
            .needs(["scaffold-rekor-key", FULCIO.step, CTLOG.step])
            .done(move || {
                Ok(copies
                    .copies_are_current()?
                    .then(|| "they are the same".to_owned()))
            })
            .xtask(CopySecrets {}),
        );
        let trust = self.clone();
        let mut step = Step::new("trust", "write the trusted root and the signing config")
            .needs(["copy-secrets", "registry-certificate"]);
        if self.settings()?.ingress.is_some() {
            step = step.needs(INGRESS_TLS.iter().map(|tls| tls.step));
        }
        plan.push(
            step.done(move || {
                Ok(trust
                    .trust_is_current()?
                    .then(|| "they are what the keys say".to_owned()))
            })
            .xtask(ClusterTrust {}),
        );
        Ok(())
    }

    pub(super) fn minikube_step(&self) -> Result<Step> {
        let version = self.pins()?.kubernetes.version;
        let start = self.minikube(words![
            "start",
            "--kubernetes-version",
            version,
            format!("--extra-config=apiserver.service-account-issuer={ISSUER}"),
            format!("--extra-config=apiserver.service-account-jwks-uri={ISSUER}/openid/v1/jwks")
        ])?;
        let cluster = self.clone();
        Ok(Step::new(
            "minikube",
            "start minikube with an issuer that Fulcio believes",
        )
        .needs(["preflight"])
        .done(move || {
            if !cluster.minikube_runs()? {
                return Ok(None);
            }
            // Options of an existing profile are ignored, so it is refused.
            cluster.check_discovery()?;
            Ok(Some("it runs".to_owned()))
        })
        .run(start)
        .ready(Ready::Issuer {
            context: self.settings()?.context.clone(),
            within: READY,
        }))
    }

    fn namespaces_step(&self) -> Result<Step> {
        let cluster = self.clone();
        Ok(Step::new("namespaces", "make the namespaces")
            .needs(["preflight", "minikube"])
            .done(move || {
                let all = cluster.all_namespaces()?;
                // Whose they are is asked by the command.
                let there = |name: &&str| {
                    all.iter().any(|namespace| {
                        namespace["metadata"]["name"] == **name
                            && namespace["status"]["phase"] == "Active"
                            && is_ours(namespace)
                    })
                };
                Ok(NAMESPACES
                    .iter()
                    .all(there)
                    .then(|| "they are there".to_owned()))
            })
            .xtask(Refusal::ForeignNamespaces.step())
            .run(self.apply_command(&["deploy/namespaces.yml"])?))
    }

    /// Fails where a namespace of the workshop is there and is somebody else's
    /// (`cargo xtask step refuse foreign-namespaces`): what is in it would be
    /// changed now, and deleted at the end.
    ///
    /// # Errors
    /// Exactly then, or where the cluster does not answer.
    pub fn refuse_foreign_namespaces(&self) -> Result<()> {
        let all = self.all_namespaces()?;
        let foreign = all.iter().find(|namespace| {
            let name = namespace["metadata"]["name"].as_str().unwrap_or_default();
            NAMESPACES.contains(&name) && !is_ours(namespace)
        });
        let Some(foreign) = foreign else {
            return Ok(());
        };
        let name = foreign["metadata"]["name"].as_str().unwrap_or_default();
        Err(broken(format!(
            "the namespace {name} is there, and is not the workshop's: another Sigstore is on this cluster"
        ))
        .hint("use another cluster, for example: cargo xtask minikube")
        .hint("or remove that one first, with what installed it")
        .into())
    }

    fn all_namespaces(&self) -> Result<Vec<Value>> {
        let all = self.read(words!["get", "namespaces", "--output=json"])?;
        Ok(all["items"].as_array().cloned().unwrap_or_default())
    }

    /// Every namespace and its phase.
    ///
    /// # Errors
    /// Where the cluster does not answer.
    pub fn namespaces(&self) -> Result<Vec<(String, String)>> {
        let all = self.all_namespaces()?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(all
            .iter()
            .map(|namespace| {
                (
                    text(&namespace["metadata"]["name"]),
                    text(&namespace["status"]["phase"]),
                )
            })
            .collect())
    }

    pub(super) fn ingress_step(&self) -> Result<Step> {
        let cluster = self.clone();
        Ok(Step::new("ingress", "enable minikube's ingress controller")
            .needs(["minikube"])
            .done(move || {
                let lacking = cluster.lacking(INGRESS.0, INGRESS.1)?;
                Ok(lacking.is_empty().then(|| "it runs".to_owned()))
            })
            .run(self.minikube(words!["addons", "enable", "ingress"])?)
            .ready(ready(INGRESS.0, INGRESS.1)))
    }

    /// How manifests of the repository are applied.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub fn apply_command(&self, files: &[&str]) -> Result<Command> {
        let mut words = words!["apply", APPLY[0], APPLY[1], APPLY[2]];
        for file in files {
            words.extend(words!["--filename", self.manifest(file)]);
        }
        self.kubectl(words)
    }

    /// A step that applies manifests; it is done where this object is there.
    fn apply_step(
        &self,
        step: Step,
        files: &[&str],
        (namespace, object): (&str, &str),
    ) -> Result<Step> {
        let cluster = self.clone();
        let (namespace, object) = (namespace.to_owned(), object.to_owned());
        Ok(step
            .needs(["namespaces"])
            .done(move || {
                let found = cluster.find(&namespace, &object)?;
                Ok(found.map(|_| "it is there".to_owned()))
            })
            .run(self.apply_command(files)?))
    }

    pub(super) fn chart_step(&self, source: Source) -> Result<Option<Step>> {
        let Some((fetch, file)) = self.fetch_chart(source.chart)? else {
            return Ok(None);
        };
        let dir = self.fetched_charts()?;
        Ok(Some(
            Step::new(
                format!("{}-chart", source.chart),
                format!("fetch the chart {}", source.chart),
            )
            .needs(["begin"])
            .done(move || Ok(file.is_file().then(|| "it was fetched before".to_owned())))
            // Helm does not make the directory that it writes to.
            .run(Command::new(words!["mkdir", "-p", dir]))
            .run(fetch),
        ))
    }

    fn push_registry(&self, plan: &mut Plan) -> Result<()> {
        const TLS: &str = "secret/registry-tls:ca.crt";
        let tls = self.clone();
        plan.push(
            Step::new(
                "registry-certificate",
                "have the registry's certificate made",
            )
            .needs(["issuer"])
            .done(move || {
                Ok(tls
                    .lacking(DEFAULT, TLS)?
                    .is_empty()
                    .then(|| "it is there".to_owned()))
            })
            .run(self.apply_command(&["verify/certificate-registry.yml"])?)
            .ready(ready(DEFAULT, TLS)),
        );
        const UP: &str = "deployment/registry";
        let up = self.clone();
        let files = ["verify/service-registry.yml", "verify/deploy-registry.yml"];
        plan.push(
            Step::new("registry", "start a registry")
                .needs(["registry-certificate"])
                .done(move || {
                    Ok(up
                        .lacking(DEFAULT, UP)?
                        .is_empty()
                        .then(|| "it is up".to_owned()))
                })
                .run(self.apply_command(&files)?)
                .ready(ready(DEFAULT, UP)),
        );
        Ok(())
    }
}

/// Where minikube's addon runs the ingress controller.
const INGRESS: (&str, &str) = ("ingress-nginx", "deployment/ingress-nginx-controller");

/// That these conditions hold in a namespace, images fetched included.
pub fn ready(namespace: &str, conditions: &str) -> Ready {
    Ready::objects(namespace, conditions, READY)
}
