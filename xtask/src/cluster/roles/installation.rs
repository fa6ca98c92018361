//! How an installation on a cluster is prepared, made and completed.

use std::path::Path;

use anyhow::Result;

use crate::cluster::facts::{InstallFacts, Request};
use crate::cluster::probes::programs::{curl, helm, kubectl, kubernetes, minikube};
use crate::cluster::servers::REGISTRY_HOST;
use crate::cluster::{Cluster, images};
use crate::fail::{Fail, broken};
use crate::plan::Plan;
use crate::preflight::Finding;
use crate::state::Lock;
use crate::target::{
    ClusterOptions, Images, InstallOptions, InstallStage, Installation, PreflightOptions, Signing,
    Summary, TargetKind,
};

impl Installation for Cluster {
    /// Looks at the programs, and at the cluster where it answers.
    fn preflight(&self, _: &PreflightOptions) -> Result<Vec<Finding>> {
        let tools = self.pins()?.tools;
        let mut findings = vec![kubectl(&tools.kubectl.minimum), helm(&tools.helm.minimum)];
        let on_minikube = self.kind == TargetKind::Minikube;
        if on_minikube {
            findings.push(minikube(&tools.minikube.minimum));
        }
        let there = which::which("kubectl").is_ok();
        let is_stopped = || Ok::<_, anyhow::Error>(!self.minikube()?.runs());
        if there && on_minikube && which::which("minikube").is_ok() && is_stopped()? {
            findings.push(kubernetes(&self.pins()?.kubernetes.minimum));
            let finding = Finding::new("cluster", "a running minikube");
            findings.push(
                finding
                    .missing("it does not run", "cargo xtask minikube")
                    .optional("`install` and `minikube` start it"),
            );
        } else if there {
            findings.extend(self.look_at_cluster()?);
        }
        if self
            .settings()
            .is_ok_and(|settings| settings.ingress.is_some())
        {
            findings.push(curl());
        }
        findings.extend(self.roles_last());
        Ok(findings)
    }

    /// Fetches the charts, and on minikube the images, for which it has to run. Any other
    /// cluster fetches its images itself.
    fn prefetch(&self, options: &ClusterOptions) -> Result<Plan> {
        self.prefetch_plan(&InstallFacts::gather(self, Request::new(options))?)
    }

    fn pack(&self, _: &Path) -> Result<Plan> {
        Err(no_pack().into())
    }

    fn unpack(&self, _: &Path) -> Result<Plan> {
        Err(no_pack().into())
    }

    fn images(&self) -> Result<Option<Images>> {
        Ok(Some(Images {
            names: images::named(&self.reopened()?.charts()?)?,
            left_to_cluster: self.kind == TargetKind::Cluster,
        }))
    }

    fn lock_build(&self, _: bool, _: &dyn Fn()) -> Result<Option<Lock>> {
        Ok(None)
    }

    /// Everything, from the cluster to the trust material.
    fn install(&self, options: &InstallOptions) -> Result<Plan> {
        let request = Request {
            port_base: options.ports.port_base,
            rekor: options.rekor,
            ..Request::new(&options.cluster)
        };
        self.install_plan(request.stage, &InstallFacts::gather(self, request)?)
    }

    fn stage(&self, stage: InstallStage, options: &ClusterOptions) -> Result<Plan> {
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
        let request = Request {
            stage: Some(stage),
            ..Request::new(options)
        };
        self.install_plan(request.stage, &InstallFacts::gather(self, request)?)
    }

    fn summary(&self) -> Result<Summary> {
        let cluster = self.reopened()?;
        Ok(Summary {
            sample: cluster.sample()?,
            issuer: cluster.issuer()?,
            registry: REGISTRY_HOST.to_owned(),
            rekor: cluster.settings()?.rekor.name(),
            context: Some(cluster.settings()?.context.clone()),
        })
    }
}

/// Why there is no pack for a cluster.
fn no_pack() -> Fail {
    broken("a pack holds the servers of the local target, and nothing for a cluster")
        .hint("name the target as well: --on local")
        .hint("what a cluster without a network takes: docs/cluster.md")
}
