//! The steps of an install, in the order of the text.

mod cert_manager;
mod cluster;
mod first_phase;
mod readiness;
mod registry;
mod scaffold;
mod tiles;

use anyhow::Result;

use super::Cluster;
use super::charts::Charts;
use super::facts::InstallFacts;
use super::helm::CERT_MANAGER;
use super::object::DEFAULT;
use super::servers::TUF;
use super::steps::{
    Choose, ClusterTrust, CopySecrets, FetchImages, IngressHosts, Preload, Publish, TufRoot,
};
use super::trust::CONFIG_MAP;
use crate::entry::Version;
use crate::plan::{Command, Plan, Step};
use crate::target::steps::Preflight;
use crate::target::{InstallStage, TargetKind};
use crate::words;
use readiness::Readiness;
pub(super) use readiness::{WITHIN, ready};

impl Cluster {
    /// Everything, from the cluster to the trust material, or the whole of which `stage`
    /// is a part. It runs nothing and reads nothing: what it has to know are the facts.
    pub(super) fn install_plan(
        &self,
        stage: Option<InstallStage>,
        facts: &InstallFacts,
    ) -> Result<Plan> {
        let name = stage.map_or("install", InstallStage::name);
        let mut plan = Plan::new(name, self.globals());
        let chosen = self.with_settings(facts.charts.sources.settings.clone());
        chosen.push_install(&mut plan, facts)?;
        Ok(plan)
    }

    /// What can be fetched before anything is installed.
    pub(super) fn prefetch_plan(&self, facts: &InstallFacts) -> Result<Plan> {
        let mut plan = Plan::new("prefetch", self.globals());
        let chosen = self.with_settings(facts.charts.sources.settings.clone());
        chosen.push_prefetch(&mut plan, &facts.charts)?;
        Ok(plan)
    }

    fn push_install(&self, plan: &mut Plan, facts: &InstallFacts) -> Result<()> {
        let (charts, on_minikube) = (&facts.charts, self.kind == TargetKind::Minikube);
        plan.push(Choose::step(self, charts));
        let (title, cluster) = ("check what machine and cluster have", self.clone());
        let preflight = Preflight::default().step(title, move || cluster.is_installed());
        plan.push(preflight.needs(["begin"]));
        if on_minikube {
            plan.push(self.minikube_step()?.stage(InstallStage::Minikube));
        }
        plan.push(self.namespaces_step()?);
        if on_minikube {
            plan.push(Preload::step(self, facts.job_image.clone())?.needs(["minikube"]));
            if self.settings()?.ingress.is_some() {
                plan.push(self.ingress_step()?.stage(InstallStage::Ingress));
            }
        }
        let reviewer = self.oidc_reviewer_step()?;
        plan.push(reviewer.stage(InstallStage::OidcReviewer));
        push_charts(plan, charts);
        plan.push_stage(InstallStage::CertManager, |plan| {
            self.push_cert_manager(plan, charts)
        })?;
        plan.push(self.issuer_step()?.stage(InstallStage::Issuer));
        plan.push_stage(InstallStage::Scaffold, |plan| {
            self.push_ground(plan, charts)?;
            if self.settings()?.rekor.has(Version::V2) {
                self.push_tiles(plan, charts)?;
            }
            self.push_scaffold(plan, charts)
        })?;
        if facts.ends_ingress {
            plan.push(IngressHosts::removal(self)?.stage(InstallStage::Scaffold));
        }
        plan.push_stage(InstallStage::Registry, |plan| self.push_registry(plan))?;
        self.push_trust(plan)
    }

    /// Adds what comes last: the copies of public keys, and the trust material.
    fn push_trust(&self, plan: &mut Plan) -> Result<()> {
        // Those of servers that are not of this plan count for nothing.
        let keys = [scaffold::REKOR_KEY, "scaffold-fulcio", "scaffold-ctlog"];
        let copy = CopySecrets::step(self)?.needs(keys).needs(tiles::KEYS);
        plan.push(copy.stage(InstallStage::CopySecrets));
        let mut trust = ClusterTrust::step(self).needs(["copy-secrets", "registry-certificate"]);
        // Signers are told of what is there.
        trust = trust.needs(tiles::SERVERS);
        if self.settings()?.ingress.is_some() {
            trust = trust.needs(scaffold::ingress_steps(self.settings()?.rekor));
        }
        plan.push(trust.stage(InstallStage::Trust));
        self.push_publication(plan, "publish", "trust");
        Ok(())
    }

    /// Adds the steps that bring the trust material to clients, once another is done. The
    /// first is called `name`.
    pub(in crate::cluster) fn push_publication(&self, plan: &mut Plan, name: &str, after: &str) {
        let publish = Publish::step(self).named(name).needs([after]);
        let publish = publish.ready(ready(TUF.namespace, TUF.ready));
        plan.push(publish.stage(InstallStage::Trust));
        let root = format!("{name}-root");
        let root = TufRoot::step(self).named(&root).needs([name]);
        plan.push(root.stage(InstallStage::Trust));
    }

    /// Adds what can be fetched before anything is installed. Any other cluster than a
    /// minikube fetches its images itself.
    fn push_prefetch(&self, plan: &mut Plan, charts: &Charts) -> Result<()> {
        plan.push(Choose::step(self, charts));
        push_charts(plan, charts);
        if self.kind == TargetKind::Minikube {
            plan.push(self.minikube_step()?);
            if self.settings()?.ingress.is_some() {
                plan.push(self.ingress_step()?);
            }
            let releases = charts.releases();
            let fetched = releases.map(|release| format!("{}-chart", release.chart));
            let images = FetchImages::step(charts, self.minikube()?);
            plan.push(images.needs(["begin", "minikube"]).needs(fetched));
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

/// Adds the steps that fetch the charts, where they come from no directory.
fn push_charts(plan: &mut Plan, charts: &Charts) {
    for release in charts.releases() {
        let chart = release.chart;
        let stage = match release {
            CERT_MANAGER => InstallStage::CertManager,
            _ => InstallStage::Scaffold,
        };
        let Some((fetch, file)) = charts.fetch(chart) else {
            continue;
        };
        let title = format!("fetch the chart {chart}");
        plan.push(
            Step::new(format!("{chart}-chart"), title)
                .stage(stage)
                .needs(["begin"])
                .done(move || Ok(file.is_file().then(|| "it was fetched before".to_owned())))
                // Helm does not make the directory that it writes to.
                .run(Command::new(words![
                    "mkdir",
                    "-p",
                    charts.sources.fetched()
                ]))
                .run(fetch),
        );
    }
}
