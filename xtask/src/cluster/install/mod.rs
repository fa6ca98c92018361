//! The steps of an install, in the order of the text.

mod cert_manager;
mod cluster;
mod first_phase;
mod images;
mod registry;
mod scaffold;

use std::time::Duration;

use anyhow::Result;

use super::Cluster;
use super::conditions::{Condition, all_hold};
use super::copies;
use super::helm::RELEASES;
use super::kubectl::Kubectl;
use super::object::DEFAULT;
use super::settings::ClusterSettings;
use super::steps::{Choose, ClusterTrust, CopySecrets};
use super::trust::CONFIG_MAP;
use crate::plan::{Command, Plan, Ready, Step};
use crate::state;
use crate::target::TargetKind;
use crate::target::steps::Preflight;
use crate::words;

/// How long the servers of a chart may take: images have to be fetched first.
const WITHIN: Duration = Duration::from_secs(600);

impl Cluster {
    /// Adds everything, from the cluster to the trust material.
    pub(super) fn push_install(&self, plan: &mut Plan) -> Result<()> {
        let on_minikube = self.kind == TargetKind::Minikube;
        plan.push(self.begin_step()?);
        plan.push(self.preflight_step());
        if on_minikube {
            plan.push(self.minikube_step()?);
        }
        plan.push(self.namespaces_step()?);
        if on_minikube {
            plan.push(self.job_image_step()?);
            if self.settings()?.ingress.is_some() {
                plan.push(self.ingress_step()?);
            }
        }
        plan.push(self.oidc_reviewer_step()?);
        self.push_charts(plan)?;
        self.push_cert_manager(plan)?;
        plan.push(self.issuer_step()?);
        self.push_scaffold(plan)?;
        self.push_registry(plan)?;
        plan.push(self.copy_step()?);
        plan.push(self.trust_step()?);
        Ok(())
    }

    /// Adds what can be fetched before anything is installed. The images of any cluster
    /// but a minikube are its own business.
    pub(super) fn push_prefetch(&self, plan: &mut Plan) -> Result<()> {
        plan.push(self.begin_step()?);
        self.push_charts(plan)?;
        if self.kind == TargetKind::Minikube {
            plan.push(self.minikube_step()?);
            if self.settings()?.ingress.is_some() {
                plan.push(self.ingress_step()?);
            }
            plan.push(self.images_step()?);
        }
        Ok(())
    }

    /// The step that remembers what was chosen.
    fn begin_step(&self) -> Result<Step> {
        let settings = self.settings()?.clone();
        let (file, charts) = (self.settings_file(), self.charts()?);
        let choose = Choose::from(&settings);
        Ok(Step::new("begin", "remember what was chosen")
            .again()
            .done(move || {
                let kept: Option<ClusterSettings> = state::read_json(&file)?;
                // An overlay may have changed since.
                let is_same = kept.as_ref() == Some(&settings) && charts.values_are_written()?;
                Ok(is_same.then(|| "it is what was chosen before".to_owned()))
            })
            .xtask(choose))
    }

    fn preflight_step(&self) -> Step {
        let cluster = self.clone();
        Step::new("preflight", "check what machine and cluster have")
            .needs(["begin"])
            .done(move || cluster.is_installed())
            .xtask(Preflight::default())
    }

    /// Whether an install has come to its end here, and how that is seen: what it looks
    /// at and fetches first needs no second time. A minikube that does not run cannot be
    /// asked.
    pub(super) fn is_installed(&self) -> Result<Option<String>> {
        let stopped = || Ok::<_, anyhow::Error>(!self.minikube()?.runs());
        if !self.installed || (self.kind == TargetKind::Minikube && stopped()?) {
            return Ok(None);
        }
        let map = format!("configmap/{CONFIG_MAP}");
        let map = self.kubectl()?.get(DEFAULT, &map)?;
        Ok(map.map(|_| "Sigstore is installed".to_owned()))
    }

    fn push_charts(&self, plan: &mut Plan) -> Result<()> {
        let charts = self.charts()?;
        for release in RELEASES {
            let chart = release.chart;
            let Some((fetch, file)) = charts.fetch(chart)? else {
                continue;
            };
            let title = format!("fetch the chart {chart}");
            plan.push(
                Step::new(format!("{chart}-chart"), title)
                    .needs(["begin"])
                    .done(move || Ok(file.is_file().then(|| "it was fetched before".to_owned())))
                    // Helm does not make the directory that it writes to.
                    .run(Command::new(words!["mkdir", "-p", charts.fetched()]))
                    .run(fetch),
            );
        }
        Ok(())
    }

    fn copy_step(&self) -> Result<Step> {
        let kubectl = self.kubectl()?;
        let title = "copy the public keys to the namespace default";
        Ok(Step::new("copy-secrets", title)
            .needs([scaffold::REKOR_KEY, "scaffold-fulcio", "scaffold-ctlog"])
            .done(move || {
                let current = copies::are_current(&kubectl)?;
                Ok(current.then(|| "they are the same".to_owned()))
            })
            .xtask(CopySecrets {}))
    }

    fn trust_step(&self) -> Result<Step> {
        let title = "write the trusted root and the signing config";
        let mut step = Step::new("trust", title).needs(["copy-secrets", "registry-certificate"]);
        if self.settings()?.ingress.is_some() {
            step = step.needs(scaffold::ingress_steps());
        }
        let cluster = self.clone();
        Ok(step
            .done(move || {
                let current = cluster.trust_is_current()?;
                Ok(current.then(|| "they are what the keys say".to_owned()))
            })
            .xtask(ClusterTrust {}))
    }

    /// A step that applies manifests; it is done where this object is there, which
    /// is in no namespace.
    fn apply_step(&self, step: Step, manifest: &str, object: &'static str) -> Result<Step> {
        let kubectl = self.kubectl()?;
        let apply = kubectl.apply_manifests(&[manifest]);
        Ok(step
            .done(move || {
                let found = kubectl.get("", object)?;
                Ok(found.map(|_| "it is there".to_owned()))
            })
            .run(apply))
    }
}

/// What must hold in a namespace once a step is done.
struct Readiness {
    step: String,
    title: String,
    namespace: &'static str,
    conditions: Vec<Condition>,
    /// How it is told that it holds already.
    told: &'static str,
}

impl Readiness {
    /// That conditions hold, each as it is in the table of servers or beside it.
    fn new(step: &str, title: &str, namespace: &'static str, conditions: &[Condition]) -> Self {
        Readiness {
            step: step.to_owned(),
            title: title.to_owned(),
            namespace,
            conditions: conditions.to_vec(),
            told: "it is up",
        }
    }

    /// It with other words for that it holds already.
    fn told(self, told: &'static str) -> Readiness {
        Readiness { told, ..self }
    }

    /// The step that makes sure of it.
    fn step(self, kubectl: &Kubectl) -> Step {
        let (kubectl, namespace) = (kubectl.clone(), self.namespace);
        let ready = ready(namespace, &self.conditions);
        let (conditions, told) = (self.conditions, self.told);
        Step::new(self.step, self.title)
            .done(move || {
                let holds = all_hold(&kubectl, namespace, &conditions)?;
                Ok(holds.then(|| told.to_owned()))
            })
            .ready(ready)
    }
}

/// That these conditions hold in a namespace, images fetched included.
fn ready(namespace: &str, conditions: &[Condition]) -> Ready {
    Ready::Objects {
        namespace: namespace.to_owned(),
        conditions: conditions.iter().map(ToString::to_string).collect(),
        within: WITHIN,
    }
}
