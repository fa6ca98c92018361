//! Signing and verifying with cosign on this machine, through forwards or an ingress.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::artifact::Artifact;
use crate::cluster::Cluster;
use crate::cluster::forwards::PortForward;
use crate::cluster::servers::{ClusterServer, REGISTRY, REGISTRY_HOST, asked_to_sign};
use crate::cluster::sign_addresses::{SignAddresses, config_name};
use crate::cluster::steps::{HaltForward, LaunchForward, SigningConfig};
use crate::cosign::{Cosign, SignRequest};
use crate::entry::Version;
use crate::plan::{Plan, Step};
use crate::target::Signing;
use crate::target::Verification;
use crate::target::steps::Forget;
use crate::target::steps::push_prove;

/// cosign on this machine, and the forwards that it goes through.
pub(in crate::cluster) struct OnHost<'a> {
    cluster: &'a Cluster,
    cosign: PathBuf,
    forwards: &'a [PortForward],
}

impl<'a> OnHost<'a> {
    pub(in crate::cluster) fn new(
        cluster: &'a Cluster,
        cosign: PathBuf,
        forwards: &'a [PortForward],
    ) -> OnHost<'a> {
        OnHost {
            cluster,
            cosign,
            forwards,
        }
    }

    /// Adds the steps that sign as a service account.
    pub(in crate::cluster) fn push_sign(
        &self,
        plan: &mut Plan,
        artifacts: &[Artifact],
        account: &str,
        rekor: Version,
    ) -> Result<()> {
        let mut needs = self.push_open(plan)?;
        let (config, write) = self.signing_config(rekor)?;
        let written = write.is_some();
        if let Some(step) = write {
            needs.push(step.name.clone());
            plan.push(step);
        }
        let artifacts = self.as_seen_here(artifacts);
        let request = SignRequest {
            artifacts: &artifacts,
            user: account,
            identity: &self.cluster.identity(account)?,
            issued_by: "the cluster",
            signing_config: &config,
            rekor,
            dir: &self.cluster.dir,
            forwarded: self.registry(),
        };
        let ends = self.cosign()?.push_sign(plan, &request, &needs);
        self.push_close(plan, &ends);
        if written {
            plan.push(
                Step::new("forget-signing-config", "delete the signing config")
                    .needs(ends)
                    .always()
                    .xtask(Forget { file: config }),
            );
        }
        Ok(())
    }

    /// Adds the steps that verify.
    pub(in crate::cluster) fn push_verify(
        &self,
        plan: &mut Plan,
        asked: &Verification<'_>,
    ) -> Result<()> {
        let proved = push_prove(plan, asked, None);
        let opened = self.push_open(plan)?;
        let seen_here = Verification {
            artifacts: &self.as_seen_here(asked.artifacts),
            ..*asked
        };
        let ends = self
            .cosign()?
            .push_verify(plan, &seen_here, &opened, &proved);
        self.push_close(plan, &ends);
        Ok(())
    }

    /// The forwards that end with the command.
    fn own(&self) -> impl Iterator<Item = &PortForward> {
        self.forwards.iter().filter(|forward| !forward.persistent)
    }

    /// Adds the steps that open these forwards, and returns their names.
    fn push_open(&self, plan: &mut Plan) -> Result<Vec<String>> {
        let forwards = self.cluster.port_forwards()?;
        let mut names = Vec::new();
        for forward in self.own() {
            let step = LaunchForward::step(&forwards, forward)?.again();
            names.push(step.name.clone());
            plan.push(step);
        }
        Ok(names)
    }

    /// Adds the steps that close them once these steps have ended.
    fn push_close(&self, plan: &mut Plan, ends: &[String]) {
        for forward in self.own() {
            let name = forward.server.name;
            let component = forward.process();
            let close = HaltForward { component }.step(name, name);
            plan.push(close.needs(ends.iter()).always());
        }
    }

    /// The forward to a server.
    fn forward_to(&self, server: &ClusterServer) -> Option<&PortForward> {
        let mut all = self.forwards.iter();
        all.find(|forward| forward.server.name == server.name)
    }

    /// The address of the registry here, where a forward leads to it.
    fn registry(&self) -> Option<String> {
        Some(self.forward_to(&REGISTRY)?.address())
    }

    /// The signing config, and the step that writes it where the forwards are on
    /// ports of their own.
    fn signing_config(&self, rekor: Version) -> Result<(PathBuf, Option<Step>)> {
        let of_its_own = |server: &ClusterServer| {
            let forward = self.forward_to(server)?;
            (!forward.persistent).then(|| format!("http://{}{}", forward.address(), server.path()))
        };
        if asked_to_sign(rekor)
            .into_iter()
            .all(|server| of_its_own(server).is_none())
        {
            let name = config_name(self.cluster.settings()?.rekor, rekor);
            return Ok((self.cluster.trust_file(name), None));
        }
        let addresses = SignAddresses::of(rekor, |server| match of_its_own(server) {
            Some(url) => Ok(url),
            None => self.cluster.host_url(server),
        })?;
        let file = format!("tmp/signing_config-{}.json", std::process::id());
        let file = self.cluster.dir.join(file);
        let write = SigningConfig {
            version: rekor,
            fulcio: addresses.fulcio,
            rekor: addresses.rekor,
            timestamp: addresses.timestamp,
            out: file.clone(),
        };
        Ok((file, Some(write.step())))
    }

    /// The artifacts with the registry under the name that it has here.
    fn as_seen_here(&self, artifacts: &[Artifact]) -> Vec<Artifact> {
        let registry = self.registry();
        let here = |image: &String| match (image.strip_prefix(REGISTRY_HOST), &registry) {
            (Some(rest), Some(address)) => format!("{address}{rest}"),
            _ => image.clone(),
        };
        let here = |artifact: &Artifact| match artifact {
            Artifact::Image(image) => Artifact::Image(here(image)),
            blob => blob.clone(),
        };
        artifacts.iter().map(here).collect()
    }

    fn cosign(&self) -> Result<Cosign> {
        let cluster = self.cluster;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut env = Vec::new();
        if cluster.settings()?.ingress.is_some() {
            let file = cluster.trust_file("ingress.pem");
            env.push(("SSL_CERT_FILE".to_owned(), text(&file)));
        }
        Ok(Cosign {
            program: self.cosign.clone(),
            tuf_root: cluster.tuf_root(),
            trusted_root: cluster.trust_file("trusted_root.json"),
            registry: self.registry().into_iter().collect(),
            registry_ca: cluster.trust_file("registry.pem"),
            env,
        })
    }
}
