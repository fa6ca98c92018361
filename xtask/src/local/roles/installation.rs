//! How a local installation is prepared, made and completed.

use anyhow::Result;

use crate::entry::Versions;
use crate::fail::{Fail, broken};
use crate::local::Local;
use crate::local::facts::Facts;
use crate::local::preflight::{openssl, platform};
use crate::plan::{Command, Plan, Step};
use crate::preflight::Finding;
use crate::state::Lock;
use crate::target::steps::Preflight;
use crate::target::{
    ClusterOptions, Images, InstallOptions, InstallStage, Installation, PreflightOptions, Signing,
    Summary,
};
use crate::words;

impl Installation for Local {
    /// Looks at platform, Go, disk, ports and openssl.
    fn preflight(&self, options: &PreflightOptions) -> Result<Vec<Finding>> {
        let mut wanted = self.clone();
        wanted.settings.port_base = options.port_base.unwrap_or(wanted.settings.port_base);
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

    /// Builds the servers, those of either Rekor: nothing else of this target needs a
    /// network, and later there may be none.
    fn prefetch(&self, options: &ClusterOptions) -> Result<Plan> {
        refuse(options)?;
        let mut plan = Plan::new("prefetch", self.globals.clone());
        let facts = self.facts()?;
        let build = &self.build;
        for step in build.steps(facts.archives, Versions::Both, &facts.missing) {
            plan.push(step);
        }
        Ok(plan)
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
        local.install_plan(&facts)
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
            registry: local.address("registry")?,
            rekor: local.settings.rekor.name(),
            context: None,
        })
    }
}

impl Local {
    /// Builds, configures and starts everything, and pushes a sample image.
    fn install_plan(&self, facts: &Facts) -> Result<Plan> {
        let mut plan = Plan::new("install", self.globals.clone());
        plan.push(self.preflight_step());
        let rekor = self.settings.rekor;
        for step in self.build.steps(facts.archives, rekor, &facts.missing) {
            plan.push(step);
        }
        self.push_start(&mut plan, facts, &[])?;
        plan.push(self.sample_step()?);
        Ok(plan)
    }

    fn preflight_step(&self) -> Step {
        let local = self.clone();
        // It names taken ports before minutes are spent on a build.
        Step::new("preflight", "check what the machine has")
            .done(move || {
                let done = local.build.built(local.settings.rekor) && local.all_run()?;
                Ok(done.then(|| "the servers are built, and run".to_owned()))
            })
            .xtask(Preflight {
                options: PreflightOptions {
                    rekor: Some(self.settings.rekor),
                    port_base: Some(self.settings.port_base),
                },
            })
    }

    fn sample_step(&self) -> Result<Step> {
        let (sample, link) = (
            self.sample()?,
            "data/registry/docker/registry/v2/repositories/sample/_manifests/tags/latest",
        );
        let (pushed, program) = (self.dir.join(link), self.build.program("loopback"));
        Ok(
            Step::new("sample", format!("push a sample image to {sample}"))
                .needs(["registry"])
                .done(move || Ok(pushed.exists().then(|| "it is in the registry".to_owned())))
                .run(
                    Command::new(words![
                        program,
                        "sample",
                        "--ca-cert",
                        "keys/registry.pem",
                        sample
                    ])
                    .dir(&self.dir),
                ),
        )
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
    use crate::target::Renew;

    #[test]
    fn an_install_goes_from_the_build_to_the_sample() {
        let Machine {
            mut local, facts, ..
        } = Machine::built();
        let v2 = names(&local.install_plan(&facts).unwrap());
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
        let both = names(&local.install_plan(&facts).unwrap());
        for step in ["trillian", "rekor-v1", "rekor-v2", "tiles"] {
            assert!(both.contains(&step.to_owned()), "{step}");
        }
    }

    /// A server waits for its configuration and what it needs.
    #[test]
    fn steps_need_what_comes_before_them() {
        let Machine { local, facts, .. } = Machine::built();
        let plan = local.install_plan(&facts).unwrap();
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
            mut local,
            mut facts,
            ..
        } = Machine::built();
        let renew = InstallOptions {
            renew: Some(Renew::Ca),
            ..InstallOptions::default()
        };
        let fulcio = |local: &Local| local.settings.fulcio.len();
        // The first CA is new as it is.
        let fresh = local.clone().with_options(&renew, &facts).unwrap();
        assert_eq!(fulcio(&fresh), 1);
        local.installed = true;
        let renewed = local.clone().with_options(&renew, &facts).unwrap();
        assert_eq!(fulcio(&renewed), 2);
        let moved = InstallOptions {
            port_base: Some(20000),
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
