//! The ground of an install: minikube and its ingress, the namespaces, and who may read
//! the discovery document.

use anyhow::Result;

use super::{Readiness, WITHIN};
use crate::cluster::Cluster;
use crate::cluster::conditions::{Condition, ConditionKind};
use crate::cluster::discovery::{Discovery, ISSUER};
use crate::cluster::namespaces;
use crate::cluster::steps::Refusal;
use crate::entry::Version;
use crate::plan::{Ready, Step};
use crate::target::TargetKind;
use crate::words;

/// Where minikube's addon runs the ingress controller.
const INGRESS: (&str, Condition) = (
    "ingress-nginx",
    Condition::new(ConditionKind::Deployment, "ingress-nginx-controller"),
);

impl Cluster {
    pub(super) fn minikube_step(&self) -> Result<Step> {
        let (minikube, kubectl) = (self.minikube()?, self.kubectl()?);
        let start = minikube.command(words![
            "start",
            format!("--extra-config=apiserver.service-account-issuer={ISSUER}"),
            format!("--extra-config=apiserver.service-account-jwks-uri={ISSUER}/openid/v1/jwks")
        ]);
        let context = self.settings()?.context.clone();
        let ready = Ready::Issuer {
            context: context.clone(),
            within: WITHIN,
        };
        let title = "start minikube with an issuer that Fulcio believes";
        Ok(Step::new("minikube", title)
            .needs(["preflight"])
            .done(move || {
                if !minikube.runs() {
                    return Ok(None);
                }
                // Options of an existing profile are ignored, so it is refused.
                Discovery::of(&kubectl)?.require(TargetKind::Minikube, &context)?;
                Ok(Some("it runs".to_owned()))
            })
            .run(start)
            .ready(ready))
    }

    pub(super) fn ingress_step(&self) -> Result<Step> {
        let (namespace, condition) = INGRESS;
        let enable = words!["addons", "enable", "ingress"];
        let title = "enable minikube's ingress controller";
        let readiness = Readiness::new("ingress", title, namespace, &[condition]);
        let step = readiness.told("it runs").step(&self.kubectl()?);
        Ok(step
            .needs(["minikube"])
            .run(self.minikube()?.command(enable)))
    }

    pub(super) fn namespaces_step(&self) -> Result<Step> {
        let (kubectl, rekor) = (self.kubectl()?, self.settings()?.rekor);
        let files = [
            (Version::V1, "deploy/namespaces.yml"),
            (Version::V2, "deploy/namespaces-rekor-v2.yml"),
        ];
        let files = files.into_iter().filter(|(of, _)| rekor.has(*of));
        let files: Vec<&str> = files.map(|(_, file)| file).collect();
        let apply = kubectl.apply_manifests(&files);
        Ok(Step::new("namespaces", "make the namespaces")
            .needs(["preflight", "minikube"])
            .done(move || {
                let there = namespaces::are_there(&kubectl, rekor)?;
                Ok(there.then(|| "they are there".to_owned()))
            })
            .xtask(Refusal::ForeignNamespaces.step())
            .run(apply))
    }

    pub(super) fn oidc_reviewer_step(&self) -> Result<Step> {
        let title = "let everybody read the discovery document";
        self.apply_step(
            Step::new("oidc-reviewer", title).needs(["namespaces"]),
            "deploy/crb-oidc-reviewer.yml",
            "clusterrolebinding/oidc-reviewer",
        )
    }
}
