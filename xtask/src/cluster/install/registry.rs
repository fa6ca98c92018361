//! The registry of the workshop, and its certificate.

use anyhow::Result;

use super::Readiness;
use crate::cluster::Cluster;
use crate::cluster::conditions::{Condition, ConditionKind};
use crate::cluster::servers::{REGISTRY, REGISTRY_TLS};
use crate::plan::Plan;

impl Cluster {
    /// Adds the steps that start it.
    pub(super) fn push_registry(&self, plan: &mut Plan) -> Result<()> {
        let kubectl = self.kubectl()?;
        let made = Condition::key(ConditionKind::Secret, REGISTRY_TLS, "ca.crt");
        let certificate = Readiness::new(
            "registry-certificate",
            "have the registry's certificate made",
            REGISTRY.namespace,
            &[made],
        )
        .told("it is there");
        plan.push(
            certificate
                .step(&kubectl)
                .needs(["issuer"])
                .run(kubectl.apply_manifests(&["verify/certificate-registry.yml"])),
        );
        let title = "start a registry";
        let registry = Readiness::new("registry", title, REGISTRY.namespace, REGISTRY.ready);
        let files = [
            "verify/volume-registry.yml",
            "verify/service-registry.yml",
            "verify/deploy-registry.yml",
        ];
        plan.push(
            registry
                .step(&kubectl)
                .needs(["registry-certificate"])
                .run(kubectl.apply_manifests(&files)),
        );
        Ok(())
    }
}
