//! The plans of a cluster: install, each of its parts, and the forwards.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::forwards::{FORWARDS, Forward};
use super::objects::{DATABASE_SECRET, DEFAULT};
use super::releases::{BASE, CERT_MANAGER, SCAFFOLD, Source, TABLES};
use super::settings::Settings;
use super::trust::CONFIG_MAP;
use super::{APPLY, Cluster, LABEL};
use crate::cli::{ClusterOptions, InstallOptions, On};
use crate::fail::broken;
use crate::local::process;
use crate::plan::{Command, Plan, Ready, Step};
use crate::state;
use crate::target::Part;
use crate::words;

/// How long the servers of a chart may take: images have to be fetched first.
const READY: Duration = Duration::from_secs(600);

/// The settings of an API server under which Fulcio believes its tokens: issuer and
/// keys have the same host.
pub const ISSUER: &str = "https://kubernetes.default.svc";

/// The namespaces of `deploy/namespaces.yml`.
pub const NAMESPACES: [&str; 5] = [
    "sigstore",
    "fulcio-system",
    "ctlog-system",
    "rekor-system",
    "trillian-system",
];

/// What must hold in a namespace, as [`Cluster::wait_for`] reads it.
pub struct Goal {
    /// The step that waits for it.
    pub step: &'static str,
    /// What it is, for a person.
    pub title: &'static str,
    /// The namespace.
    pub namespace: &'static str,
    /// The conditions.
    pub conditions: &'static str,
}

/// Trillian's database.
pub const DATABASE: Goal = Goal {
    step: "scaffold-database",
    title: "wait for Trillian's database",
    namespace: "trillian-system",
    conditions: "deployment/trillian-mysql",
};
/// Trillian.
pub const TRILLIAN: Goal = Goal {
    step: "scaffold-trillian",
    title: "wait for Trillian, the Merkle trees",
    namespace: "trillian-system",
    conditions: "ended/scaffold-trillian-createdb deployment/trillian-logserver deployment/trillian-logsigner",
};
/// Fulcio and its authority.
pub const FULCIO: Goal = Goal {
    step: "scaffold-fulcio",
    title: "wait for Fulcio, the certificate authority",
    namespace: "fulcio-system",
    conditions: "secret/fulcio-server-secret:cert deployment/fulcio-server",
};
/// Rekor and its tree.
pub const REKOR: Goal = Goal {
    step: "scaffold-rekor",
    title: "wait for Rekor, the transparency log",
    namespace: "rekor-system",
    conditions: "configmap/rekor-config:treeID deployment/rekor-server",
};
/// The CT log, its tree and its key.
pub const CTLOG: Goal = Goal {
    step: "scaffold-ctlog",
    title: "wait for the certificate transparency log",
    namespace: "ctlog-system",
    conditions: "configmap/ctlog-config:treeID secret/ctlog-public-key:public deployment/ctlog",
};

impl Cluster {
    /// The target as it will be after `install` with these options.
    ///
    /// # Errors
    /// Where no cluster is known or an option does not fit.
    pub fn with_options(
        mut self,
        options: &ClusterOptions,
        port_base: Option<u16>,
    ) -> Result<Cluster> {
        let mut settings = self.settings()?.clone();
        if let Some(base) = port_base.filter(|base| *base != settings.port_base) {
            for forward in FORWARDS {
                if process::running(&self.dir, forward.name)?.is_some() {
                    return Err(broken(format!(
                        "the ports cannot change while the forward to {} runs",
                        forward.name
                    ))
                    .hint("cargo xtask stop")
                    .into());
                }
            }
            settings.port_base = base;
        }
        let file = |path: &Path| -> Result<_> {
            if path.is_file() {
                return Ok(std::path::absolute(path)?);
            }
            Err(broken(format!("there is no file {}", path.display())).into())
        };
        if let Some(place) = &options.charts {
            settings.charts = Some(if place.contains("://") {
                place.clone()
            } else if Path::new(place).is_dir() {
                std::path::absolute(place)?.to_string_lossy().into_owned()
            } else {
                return Err(broken(format!("there is no directory {place}"))
                    .hint("charts come from a directory, a helm repository (https://…) or an OCI reference (oci://…)")
                    .into());
            });
        }
        if let Some(path) = &options.versions {
            settings.versions = Some(file(path)?);
        }
        if let Some(path) = &options.values {
            settings.values = Some(file(path)?);
        }
        match options.ingress.as_deref() {
            None => {}
            Some("none") => settings.ingress = None,
            Some("") if self.kind == On::Minikube => settings.ingress = Some(self.nip_io()?),
            Some("") => {
                return Err(broken("on a cluster the domain of the ingress must be named")
                    .hint("name it: --ingress=ADDRESS.nip.io, with the address of the ingress controller")
                    .into());
            }
            Some(domain) => {
                let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
                if !domain.chars().all(fits) {
                    return Err(broken(format!("{domain:?} is not a domain")).into());
                }
                settings.ingress = Some(domain.to_owned());
            }
        }
        self.settings = Ok(settings);
        // What would fail later, fails before anything runs.
        self.pins()?;
        for source in [CERT_MANAGER, SCAFFOLD] {
            self.chart_path(source.chart)?;
            self.wanted_values(source.chart)?;
        }
        Ok(self)
    }

    /// Everything, from the cluster to the trust material.
    ///
    /// # Errors
    /// Where the repository is damaged or no cluster is known.
    pub fn install_plan(&self, options: &InstallOptions) -> Result<Plan> {
        let cluster = self
            .clone()
            .with_options(&options.cluster, options.port_base)?;
        let mut plan = Plan::new("install", self.globals.clone());
        cluster.push_install(&mut plan)?;
        Ok(plan)
    }

    /// One part of it, with what it needs in the same plan.
    ///
    /// # Errors
    /// As [`Cluster::install_plan`].
    pub fn part_plan(&self, part: Part, options: &ClusterOptions) -> Result<Plan> {
        let mut cluster = self.clone().with_options(options, None)?;
        if part == Part::Minikube && self.kind != On::Minikube {
            return Err(
                broken("the cluster of kubectl's context is not started by the workshop")
                    .hint("on minikube it is: cargo xtask minikube")
                    .into(),
            );
        }
        if part == Part::Ingress && self.kind != On::Minikube {
            return Err(broken(
                "the ingress controller is an addon of minikube; other clusters have their own way",
            )
            .hint("with a controller of the class nginx: cargo xtask install --ingress=DOMAIN")
            .into());
        }
        if part == Part::Ingress && cluster.settings()?.ingress.is_none() {
            let domain = cluster.nip_io()?;
            let mut settings = cluster.settings()?.clone();
            settings.ingress = Some(domain);
            cluster.settings = Ok(settings);
        }
        let mut plan = Plan::new(part.name(), self.globals.clone());
        cluster.push_install(&mut plan)?;
        Ok(plan)
    }

    /// The domain that resolves to minikube's address.
    fn nip_io(&self) -> Result<String> {
        let address = crate::plan::program::output_of(&self.minikube(words!["ip"])?, None)?;
        Ok(format!("{}.nip.io", address.trim()))
    }

    /// Whether an install has come to its end here: what it looks at and fetches
    /// first needs no second time. A minikube that does not run cannot be asked.
    fn finished(&self) -> Result<Option<String>> {
        if !self.installed || (self.kind == On::Minikube && !self.minikube_runs()?) {
            return Ok(None);
        }
        let map = self.find(DEFAULT, &format!("configmap/{CONFIG_MAP}"))?;
        Ok(map.map(|_| "Sigstore is installed".to_owned()))
    }

    fn push_install(&self, plan: &mut Plan) -> Result<()> {
        plan.push(self.begin_step()?);
        let looked = self.clone();
        plan.push(
            Step::new("preflight", "check what machine and cluster have")
                .needs(["begin"])
                .done(move || looked.finished())
                .xtask(words!["preflight"]),
        );
        if self.kind == On::Minikube {
            plan.push(self.minikube_step()?);
        }
        plan.push(self.namespaces_step()?);
        if self.kind == On::Minikube {
            self.push_images(plan)?;
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
        plan.push(self.cert_manager_step()?);
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
            .xtask(words!["step", "copy-secrets"]),
        );
        let trust = self.clone();
        let mut step = Step::new("trust", "write the trusted root and the signing config")
            .needs(["copy-secrets", "registry-certificate"]);
        if self.settings()?.ingress.is_some() {
            // The certificates of the ingress come with the release.
            step = step.needs([REKOR.step]);
        }
        plan.push(
            step.done(move || {
                Ok(trust
                    .trust_is_current()?
                    .then(|| "they are what the keys say".to_owned()))
            })
            .xtask(words!["step", "trust"]),
        );
        Ok(())
    }

    fn begin_step(&self) -> Result<Step> {
        let settings = self.settings()?;
        let mut words = words![
            "step",
            "choose",
            "--port-base",
            settings.port_base.to_string()
        ];
        let Settings {
            charts,
            versions,
            values,
            ingress,
            ..
        } = settings;
        if let Some(charts) = charts {
            words.extend(words!["--charts", charts]);
        }
        for (option, file) in [("--versions", versions), ("--values", values)] {
            if let Some(file) = file {
                words.extend(words![option, file.as_path()]);
            }
        }
        if let Some(domain) = ingress {
            words.push(format!("--ingress={domain}").into());
        }
        let cluster = self.clone();
        Ok(Step::new("begin", "remember what was chosen")
            .done(move || {
                let kept: Option<Settings> = state::read_json(&cluster.dir.join("settings.json"))?;
                // An overlay may have changed since.
                let same =
                    kept.as_ref() == Some(cluster.settings()?) && cluster.values_are_written()?;
                Ok(same.then(|| "it is what was chosen before".to_owned()))
            })
            .xtask(words))
    }

    fn minikube_step(&self) -> Result<Step> {
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
        .ready(Ready {
            component: self.settings()?.context.clone(),
            address: "issuer".to_owned(),
            within: READY,
        }))
    }

    fn namespaces_step(&self) -> Result<Step> {
        let cluster = self.clone();
        Ok(Step::new("namespaces", "make the namespaces")
            .needs(["preflight", "minikube"])
            .done(move || {
                let all = cluster.namespaces()?;
                let there = |name: &&str| {
                    all.iter()
                        .any(|(known, phase)| known == *name && phase == "Active")
                };
                Ok(NAMESPACES
                    .iter()
                    .all(there)
                    .then(|| "they are there".to_owned()))
            })
            .run(self.apply_command(&["deploy/namespaces.yml"])?))
    }

    /// Every namespace and its phase.
    ///
    /// # Errors
    /// Where the cluster does not answer.
    pub fn namespaces(&self) -> Result<Vec<(String, String)>> {
        let all = self.read(words!["get", "namespaces", "--output=json"])?;
        let all = all["items"].as_array().cloned().unwrap_or_default();
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

    /// Fetches the images of the Jobs while nothing needs them yet.
    fn push_images(&self, plan: &mut Plan) -> Result<()> {
        let job = super::settings::yaml(&self.manifest("verify/job-sign.yml"))?;
        let image = job["spec"]["template"]["spec"]["containers"][0]["image"].as_str();
        if let Some(image) = image {
            let fetched = self.clone();
            plan.push(
                Step::new("images", "fetch the image that signs and verifies")
                    .needs(["minikube"])
                    .done(move || fetched.finished())
                    .run(self.minikube(words!["image", "pull", image])?),
            );
        }
        Ok(())
    }

    fn ingress_step(&self) -> Result<Step> {
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

    fn apply_command(&self, files: &[&str]) -> Result<Command> {
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

    fn chart_step(&self, source: Source) -> Result<Option<Step>> {
        let Some((fetch, file)) = self.fetch_chart(source.chart)? else {
            return Ok(None);
        };
        let dir = self.dir.join("charts");
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

    fn cert_manager_step(&self) -> Result<Step> {
        const CONDITIONS: &str = "deployment/cert-manager deployment/cert-manager-webhook deployment/cert-manager-cainjector accepts/deploy/clusterissuer-selfsigned-issuer.yml";
        let upgrade = [
            words!["upgrade", "--install", "--create-namespace"],
            self.release_words(CERT_MANAGER)?,
        ]
        .concat();
        let cluster = self.clone();
        Ok(Step::new("cert-manager", "install cert-manager")
            .needs(["namespaces", "cert-manager-chart"])
            .done(move || {
                if cluster.is_current(CERT_MANAGER)? {
                    let lacking = cluster.lacking(CERT_MANAGER.namespace, CONDITIONS)?;
                    let done = lacking.is_empty() && cluster.owns_cert_manager()?;
                    return Ok(done.then(|| "it is as it should be".to_owned()));
                }
                let foreign = cluster.has_foreign_cert_manager()?;
                Ok(foreign.then(|| "the cluster has one that is not the workshop's".to_owned()))
            })
            .run(self.helm(upgrade)?)
            // Helm made the namespace. The label says whose it is at the end.
            .run(self.kubectl(words![
                "label",
                "namespace",
                CERT_MANAGER.namespace,
                LABEL,
                "--overwrite"
            ])?)
            .ready(ready(CERT_MANAGER.namespace, CONDITIONS)))
    }

    /// Whether somebody else installed cert-manager on this cluster.
    ///
    /// # Errors
    /// Where the cluster does not answer.
    pub fn has_foreign_cert_manager(&self) -> Result<bool> {
        let definition = self.find("", "customresourcedefinition/certificates.cert-manager.io")?;
        Ok(definition.is_some() && !self.owns_cert_manager()?)
    }

    /// Whether the namespace of cert-manager carries the workshop's label. Release
    /// and namespace have the names that everybody gives them.
    fn owns_cert_manager(&self) -> Result<bool> {
        let namespace = format!("namespace/{}", CERT_MANAGER.namespace);
        let namespace = self.find("", &namespace)?.unwrap_or_default();
        let (label, value) = LABEL.split_once('=').unwrap_or((LABEL, ""));
        Ok(namespace["metadata"]["labels"][label] == *value)
    }

    fn push_scaffold(&self, plan: &mut Plan) -> Result<()> {
        let goal = |goal: &Goal| {
            let cluster = self.clone();
            let (namespace, conditions) = (goal.namespace, goal.conditions);
            Step::new(goal.step, goal.title)
                .done(move || {
                    let lacking = cluster.lacking(namespace, conditions)?;
                    Ok(lacking.is_empty().then(|| "it is up".to_owned()))
                })
                .ready(ready(namespace, conditions))
        };
        let (namespace, name) = DATABASE_SECRET;
        let secret = self.clone();
        plan.push(
            Step::new(
                "scaffold-database-secret",
                "make the passwords of Trillian's database",
            )
            .needs(["namespaces"])
            .done(move || {
                let lacking =
                    secret.lacking(namespace, &format!("secret/{name}:mysql-password"))?;
                Ok(lacking.is_empty().then(|| "they are there".to_owned()))
            })
            .xtask(words!["step", "database-secret"]),
        );
        const KEY: (&str, &str) = ("rekor-system", "secret/rekor-signer:tls.key");
        let key = self.clone();
        plan.push(
            Step::new(
                "scaffold-rekor-key",
                "have the key made that Rekor signs with",
            )
            .needs(["issuer"])
            .done(move || {
                Ok(key
                    .lacking(KEY.0, KEY.1)?
                    .is_empty()
                    .then(|| "it is there".to_owned()))
            })
            .run(self.apply_command(&["deploy/certificate-rekor.yml"])?)
            .ready(ready(KEY.0, KEY.1)),
        );
        // What a Job needs comes before the Job: one that fails once is tried
        // again after ten seconds, then twenty, and those that wait look every
        // few seconds at most.
        let release = self.release_words(SCAFFOLD)?;
        let base = self.clone();
        plan.push(
            Step::new("scaffold-base", "install Fulcio and Trillian")
                .needs(["scaffold-database-secret", "scaffold-chart"])
                .done(move || {
                    // One that is stuck fails here, not after ten minutes of waiting.
                    let release = base.release(SCAFFOLD)?;
                    Ok(release.map(|_| "the release is there".to_owned()))
                })
                .run(
                    self.helm(
                        [
                            words!["install"],
                            release.clone(),
                            BASE.map(Into::into).into(),
                        ]
                        .concat(),
                    )?,
                ),
        );
        plan.push(goal(&DATABASE).needs(["scaffold-base"]));
        let tables = self.clone();
        let upgrade = words![
            "upgrade",
            SCAFFOLD.chart,
            self.chart_path(SCAFFOLD.chart)?,
            "--namespace",
            SCAFFOLD.namespace
        ];
        plan.push(
            Step::new("scaffold-tables", "have the tables of the database made")
                .needs([DATABASE.step])
                .done(move || {
                    Ok(tables
                        .makes_tables()?
                        .then(|| "the release makes them".to_owned()))
                })
                .run(self.helm([upgrade, TABLES.map(Into::into).into()].concat())?),
        );
        plan.push(goal(&TRILLIAN).needs(["scaffold-tables"]));
        plan.push(goal(&FULCIO).needs(["scaffold-base"]));
        let full = self.clone();
        plan.push(
            Step::new("scaffold", "install Rekor and the CT log as well")
                .needs([TRILLIAN.step, FULCIO.step, "scaffold-rekor-key"])
                .done(move || {
                    Ok(full
                        .is_current(SCAFFOLD)?
                        .then(|| "it is as it should be".to_owned()))
                })
                .xtask(words!["step", "clear-jobs"])
                .run(self.helm([words!["upgrade", "--install"], release].concat())?),
        );
        plan.push(goal(&REKOR).needs(["scaffold"]));
        plan.push(goal(&CTLOG).needs(["scaffold"]));
        Ok(())
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

    /// Opens the lasting forwards.
    ///
    /// # Errors
    /// Where nothing is installed or a name is unknown.
    pub fn start_plan(&self, names: &[String]) -> Result<Plan> {
        self.require_installed()?;
        let mut plan = Plan::new("start", self.globals.clone());
        for forward in self.chosen(names)? {
            plan.push(self.open_step(&self.lasting(forward)?)?);
        }
        Ok(plan)
    }

    /// Ends the forwards, those of commands that were ended the hard way too.
    ///
    /// # Errors
    /// Where a name is unknown.
    pub fn stop_plan(&self, names: &[String]) -> Result<Plan> {
        let chosen = self.chosen(names)?;
        let mut plan = Plan::new("stop", self.globals.clone());
        for name in self.remembered()? {
            let of = name.split('-').next().unwrap_or_default();
            if !chosen.iter().any(|forward| forward.name == of) {
                continue;
            }
            plan.push(
                Step::new(format!("close-{name}"), format!("end the forward to {of}"))
                    .xtask(words!["step", "halt", &name]),
            );
        }
        Ok(plan)
    }

    /// Ends the forwards and opens them again.
    ///
    /// # Errors
    /// As [`Cluster::start_plan`].
    pub fn restart_plan(&self, names: &[String]) -> Result<Plan> {
        let mut plan = self.stop_plan(names)?;
        plan.command = "restart".to_owned();
        let ended: Vec<String> = plan.steps.iter().map(|step| step.name.clone()).collect();
        for step in self.start_plan(names)?.steps {
            let mut step = step.needs(ended.iter());
            step.done = None;
            plan.push(step);
        }
        Ok(plan)
    }

    fn chosen(&self, names: &[String]) -> Result<Vec<Forward>> {
        if names.is_empty() {
            return Ok(FORWARDS.to_vec());
        }
        names.iter().map(|name| Forward::named(name)).collect()
    }
}

/// Where minikube's addon runs the ingress controller.
const INGRESS: (&str, &str) = ("ingress-nginx", "deployment/ingress-nginx-controller");

fn ready(namespace: &str, conditions: &str) -> Ready {
    Ready {
        component: namespace.to_owned(),
        address: conditions.to_owned(),
        within: READY,
    }
}
