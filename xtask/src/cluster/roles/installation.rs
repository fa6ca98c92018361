//! How an installation on a cluster is prepared, made and completed.

use anyhow::Result;

use crate::cluster::Cluster;
use crate::cluster::preflight::{curl, helm, kubectl, minikube};
use crate::cluster::releases::{CERT_MANAGER, SCAFFOLD};
use crate::cluster::settings::Settings;
use crate::cluster::sign::REGISTRY;
use crate::entry::Versions;
use crate::fail::broken;
use crate::plan::Plan;
use crate::preflight::Check;
use crate::state::Lock;
use crate::target::{
    ClusterOptions, Images, InstallOptions, InstallStage, Installation, PreflightOptions, Signing,
    Summary, TargetKind,
};

impl Installation for Cluster {
    /// Looks at the programs, and at the cluster where it answers.
    fn preflight(&self, _: &PreflightOptions) -> Result<Vec<Check>> {
        let tools = self.pins()?.tools;
        let mut checks = vec![kubectl(&tools.kubectl.minimum), helm(&tools.helm.minimum)];
        let on_minikube = self.kind == TargetKind::Minikube;
        if on_minikube {
            checks.push(minikube(&tools.minikube.minimum));
        }
        let there = which::which("kubectl").is_ok();
        if there && on_minikube && which::which("minikube").is_ok() && !self.minikube_runs()? {
            let check = Check::new("cluster", "a running minikube");
            checks.push(
                check
                    .missing("it does not run", "cargo xtask minikube")
                    .optional("`install` and `minikube` start it"),
            );
        } else if there {
            checks.extend(self.look_at_cluster()?);
        }
        let ingress = |settings: &Settings| settings.ingress.is_some();
        if self.settings.as_ref().is_ok_and(ingress) {
            checks.push(curl());
        }
        Ok(checks)
    }

    /// Fetches the charts, and on minikube the images, for which it has to run. The
    /// images of any other cluster are its own business.
    fn prefetch(&self, options: &ClusterOptions) -> Result<Plan> {
        let cluster = self.clone().with_options(options, None)?;
        let mut plan = Plan::new("prefetch", self.globals.clone());
        plan.push(cluster.begin_step()?);
        for source in [CERT_MANAGER, SCAFFOLD] {
            if let Some(step) = cluster.chart_step(source)? {
                plan.push(step);
            }
        }
        if cluster.kind == TargetKind::Minikube {
            plan.push(cluster.minikube_step()?);
            if cluster.settings()?.ingress.is_some() {
                plan.push(cluster.ingress_step()?);
            }
            plan.push(cluster.images_step());
        }
        Ok(plan)
    }

    fn images(&self) -> Result<Option<Images>> {
        Ok(Some(Images {
            names: self.reopened()?.named_images()?,
            left_to_cluster: self.kind == TargetKind::Cluster,
        }))
    }

    fn lock_build(&self, _: bool, _: &dyn Fn()) -> Result<Option<Lock>> {
        Ok(None)
    }

    /// Everything, from the cluster to the trust material.
    fn install(&self, options: &InstallOptions) -> Result<Plan> {
        if options.rekor.is_some_and(|rekor| rekor != Versions::V1) {
            return Err(broken("the chart sigstore/scaffold installs Rekor v1 only")
                .hint("Rekor v2 runs on the local target: --on local")
                .into());
        }
        if options.renew.is_some() {
            return Err(broken("--renew is for the local target").into());
        }
        let cluster = self
            .clone()
            .with_options(&options.cluster, options.port_base)?;
        let mut plan = Plan::new("install", self.globals.clone());
        cluster.push_install(&mut plan)?;
        Ok(plan)
    }

    fn stage(&self, stage: InstallStage, options: &ClusterOptions) -> Result<Plan> {
        let mut cluster = self.clone().with_options(options, None)?;
        if stage == InstallStage::Minikube && self.kind != TargetKind::Minikube {
            return Err(
                broken("the cluster of kubectl's context is not started by the workshop")
                    .hint("on minikube it is: cargo xtask minikube")
                    .into(),
            );
        }
        if stage == InstallStage::Ingress && self.kind != TargetKind::Minikube {
            return Err(broken(
                "the ingress controller is an addon of minikube; other clusters have their own way",
            )
            .hint("with a controller of the class nginx: cargo xtask install --ingress=DOMAIN")
            .into());
        }
        if stage == InstallStage::Ingress && cluster.settings()?.ingress.is_none() {
            let domain = cluster.nip_io()?;
            let mut settings = cluster.settings()?.clone();
            settings.ingress = Some(domain);
            cluster.settings = Ok(settings);
        }
        let mut plan = Plan::new(stage.name(), self.globals.clone());
        cluster.push_install(&mut plan)?;
        Ok(plan)
    }

    fn summary(&self) -> Result<Summary> {
        let cluster = self.reopened()?;
        Ok(Summary {
            sample: cluster.sample()?,
            issuer: cluster.issuer()?,
            registry: REGISTRY.to_owned(),
            rekor: Versions::V1.name(),
            context: Some(cluster.settings()?.context.clone()),
        })
    }
}
