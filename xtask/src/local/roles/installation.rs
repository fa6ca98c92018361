//! How a local installation is prepared, made and completed.

use std::path::Path;

use anyhow::Result;

use crate::fail::{Fail, broken};
use crate::local::facts::Facts;
use crate::local::preflight::{openssl, platform};
use crate::local::{Local, plans};
use crate::plan::Plan;
use crate::preflight::Finding;
use crate::state::Lock;
use crate::target::{
    ClusterOptions, Images, InstallOptions, InstallStage, Installation, PreflightOptions, Signing,
    Summary,
};

impl Installation for Local {
    /// Looks at platform, Go, disk, ports and openssl.
    fn preflight(&self, options: &PreflightOptions) -> Result<Vec<Finding>> {
        let mut wanted = self.clone();
        wanted.settings.port_base = options.ports.port_base.unwrap_or(wanted.settings.port_base);
        wanted.settings.rekor = options.rekor.unwrap_or(wanted.settings.rekor);
        let built = wanted.build.built(wanted.settings.rekor);
        Ok(vec![
            platform(),
            wanted.go(built)?,
            wanted.disk(built),
            wanted.ports()?,
            openssl(),
        ])
    }

    fn prefetch(&self, options: &ClusterOptions) -> Result<Plan> {
        refuse(options)?;
        Ok(plans::prefetch(self, &self.facts()?))
    }

    fn pack(&self, archive: &Path) -> Result<Plan> {
        Ok(plans::pack(self, &self.facts()?, archive))
    }

    fn unpack(&self, archive: &Path) -> Result<Plan> {
        Ok(plans::unpack(self, archive))
    }

    fn images(&self) -> Result<Option<Images>> {
        Ok(None)
    }

    fn lock_build(&self, again: bool, waiting: &dyn Fn()) -> Result<Option<Lock>> {
        self.build.lock(again, waiting)
    }

    fn install(&self, options: &InstallOptions) -> Result<Plan> {
        refuse(&options.cluster)?;
        let facts = self.facts()?;
        let local = self.clone().with_options(options, &facts)?;
        plans::install(&local, &facts)
    }

    fn stage(&self, stage: InstallStage, _: &ClusterOptions) -> Result<Plan> {
        Err(broken(format!("`{}` is a step of a cluster", stage.name()))
            .hint("name one: --on minikube or --on cluster")
            .hint("here all is done by: cargo xtask install")
            .into())
    }

    fn summary(&self) -> Result<Summary> {
        let local = self.reopened()?;
        Ok(Summary {
            sample: local.sample()?,
            issuer: local.issuer()?,
            registry: local.registry_address()?,
            rekor: local.settings.rekor.name(),
            context: None,
        })
    }
}

impl Local {
    /// The target as it will be after `install` with these options.
    fn with_options(mut self, options: &InstallOptions, facts: &Facts) -> Result<Local> {
        self = self.with_ports(options.ports.port_base, facts)?;
        if let Some(rekor) = options.rekor {
            self.settings.rekor = rekor;
        }
        Ok(self)
    }

    /// The target on the ports that were asked for, where some were.
    pub(super) fn with_ports(mut self, base: Option<u16>, facts: &Facts) -> Result<Local> {
        if let Some(base) = base.filter(|base| *base != self.settings.port_base) {
            let mut servers = self.manifest.servers.iter();
            if let Some(server) = servers.find(|row| facts.running.contains(&row.name)) {
                return Err(broken(format!(
                    "the ports cannot change while {} runs",
                    server.name
                ))
                .hint("cargo xtask stop")
                .into());
            }
            self.settings.port_base = base;
        }
        Ok(self)
    }
}

/// Fails where an option for a cluster is set: this target has no use for any.
fn refuse(options: &ClusterOptions) -> Result<(), Fail> {
    if *options == ClusterOptions::default() {
        return Ok(());
    }
    Err(
        broken("--charts, --versions, --values and --ingress are for a cluster")
            .hint("name one: --on minikube or --on cluster"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Versions;
    use crate::local::tests::{Machine, names};

    #[test]
    fn an_install_goes_from_the_build_to_the_sample() {
        let Machine {
            mut local, facts, ..
        } = Machine::built();
        let v2 = names(&plans::install(&local, &facts).unwrap());
        let first = [
            "preflight",
            "modules",
            "servers",
            "keys",
            "configure",
            "dex",
        ];
        assert_eq!(v2[..6], first);
        assert_eq!(v2[v2.len() - 3..], ["trust", "publish", "sample"]);
        assert!(!v2.contains(&"rekor-v1".to_owned()));
        local.settings.rekor = Versions::Both;
        let both = names(&plans::install(&local, &facts).unwrap());
        for step in ["trillian", "rekor-v1", "rekor-v2", "tiles"] {
            assert!(both.contains(&step.to_owned()), "{step}");
        }
    }

    /// A server waits for its configuration and what it needs.
    #[test]
    fn steps_need_what_comes_before_them() {
        let Machine { local, facts, .. } = Machine::built();
        let plan = plans::install(&local, &facts).unwrap();
        for (i, step) in plan.steps.iter().enumerate() {
            let earlier = names(&plan)[..i].to_vec();
            let later: Vec<_> = names(&plan)[i..].to_vec();
            assert!(step.needs.iter().all(|need| !later.contains(need)));
            let first = step.name == "preflight";
            assert!(first || step.needs.iter().any(|need| earlier.contains(need)));
        }
    }

    #[test]
    fn options_change_what_is_installed() {
        let Machine {
            local, mut facts, ..
        } = Machine::built();
        let moved = InstallOptions {
            ports: 20000.into(),
            ..InstallOptions::default()
        };
        let there = local.clone().with_options(&moved, &facts).unwrap();
        assert_eq!(there.sample().unwrap(), "127.0.0.1:20010/sample:latest");
        facts.running.insert("dex".to_owned());
        let refused = local.with_options(&moved, &facts).err().unwrap();
        assert_eq!(
            refused.to_string(),
            "the ports cannot change while dex runs"
        );
    }
}
