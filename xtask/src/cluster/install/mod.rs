//! The steps of an install, in the order of the text.

mod cert_manager;
mod cluster;
mod first_phase;
mod readiness;
mod registry;
mod scaffold;

use anyhow::Result;

use super::Cluster;
use super::facts::{InstallFacts, Request};
use super::helm::{CERT_MANAGER, RELEASES};
use super::job_manifest::tool_image;
use super::object::DEFAULT;
use super::steps::{Choose, ClusterTrust, CopySecrets, FetchImages, Preload};
use super::trust::CONFIG_MAP;
use crate::plan::{Command, Plan, Step};
use crate::target::steps::Preflight;
use crate::target::{InstallStage, TargetKind};
use crate::words;
use readiness::{Readiness, WITHIN, ready};

impl Cluster {
    /// Everything, from the cluster to the trust material, or the whole of which `stage`
    /// is a part. It runs nothing: what it has to know are the facts.
    pub(super) fn install_plan(&self, request: Request<'_>, facts: &InstallFacts) -> Result<Plan> {
        let name = request.stage.map_or("install", InstallStage::name);
        let mut plan = Plan::new(name, self.globals());
        self.chosen(request, facts)?.push_install(&mut plan)?;
        Ok(plan)
    }

    /// What can be fetched before anything is installed.
    pub(super) fn prefetch_plan(&self, request: Request<'_>, facts: &InstallFacts) -> Result<Plan> {
        let mut plan = Plan::new("prefetch", self.globals());
        self.chosen(request, facts)?.push_prefetch(&mut plan)?;
        Ok(plan)
    }

    fn push_install(&self, plan: &mut Plan) -> Result<()> {
        let on_minikube = self.kind == TargetKind::Minikube;
        plan.push(Choose::step(self)?);
        let (title, cluster) = ("check what machine and cluster have", self.clone());
        let preflight = Preflight::default().step(title, move || cluster.is_installed());
        plan.push(preflight.needs(["begin"]));
        if on_minikube {
            plan.push(self.minikube_step()?.stage(InstallStage::Minikube));
        }
        plan.push(self.namespaces_step()?);
        if on_minikube {
            let image = tool_image(&self.repo)?;
            plan.push(Preload::step(self, image)?.needs(["minikube"]));
            if self.settings()?.ingress.is_some() {
                plan.push(self.ingress_step()?.stage(InstallStage::Ingress));
            }
        }
        let reviewer = self.oidc_reviewer_step()?;
        plan.push(reviewer.stage(InstallStage::OidcReviewer));
        self.push_charts(plan)?;
        plan.push_stage(InstallStage::CertManager, |plan| {
            self.push_cert_manager(plan)
        })?;
        plan.push(self.issuer_step()?.stage(InstallStage::Issuer));
        plan.push_stage(InstallStage::Scaffold, |plan| self.push_scaffold(plan))?;
        plan.push_stage(InstallStage::Registry, |plan| self.push_registry(plan))?;
        let keys = [scaffold::REKOR_KEY, "scaffold-fulcio", "scaffold-ctlog"];
        let copy = CopySecrets::step(self)?.needs(keys);
        plan.push(copy.stage(InstallStage::CopySecrets));
        let mut trust = ClusterTrust::step(self).needs(["copy-secrets", "registry-certificate"]);
        if self.settings()?.ingress.is_some() {
            trust = trust.needs(scaffold::ingress_steps());
        }
        plan.push(trust.stage(InstallStage::Trust));
        Ok(())
    }

    /// Adds what can be fetched before anything is installed. Any other cluster than a
    /// minikube fetches its images itself.
    fn push_prefetch(&self, plan: &mut Plan) -> Result<()> {
        plan.push(Choose::step(self)?);
        self.push_charts(plan)?;
        if self.kind == TargetKind::Minikube {
            plan.push(self.minikube_step()?);
            if self.settings()?.ingress.is_some() {
                plan.push(self.ingress_step()?);
            }
            let charts = RELEASES.map(|release| format!("{}-chart", release.chart));
            let images = FetchImages::step(self)?.needs(["begin", "minikube"]);
            plan.push(images.needs(charts));
        }
        Ok(())
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
            let stage = match release {
                CERT_MANAGER => InstallStage::CertManager,
                _ => InstallStage::Scaffold,
            };
            let Some((fetch, file)) = charts.fetch(chart)? else {
                continue;
            };
            let title = format!("fetch the chart {chart}");
            plan.push(
                Step::new(format!("{chart}-chart"), title)
                    .stage(stage)
                    .needs(["begin"])
                    .done(move || Ok(file.is_file().then(|| "it was fetched before".to_owned())))
                    // Helm does not make the directory that it writes to.
                    .run(Command::new(words!["mkdir", "-p", charts.fetched()]))
                    .run(fetch),
            );
        }
        Ok(())
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
