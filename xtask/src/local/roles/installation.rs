//! How a local installation is prepared, made and completed.

use anyhow::Result;

use crate::fail::{Fail, broken};
use crate::local::Local;
use crate::local::preflight::{openssl, platform};
use crate::plan::{Command, Plan, Step};
use crate::preflight::Check;
use crate::state::Lock;
use crate::target::steps::Preflight;
use crate::target::{
    ClusterOptions, Images, InstallOptions, InstallStage, Installation, PreflightOptions, Signing,
    Summary,
};
use crate::words;

impl Installation for Local {
    /// Looks at platform, Go, disk, ports and openssl.
    fn preflight(&self, options: &PreflightOptions) -> Result<Vec<Check>> {
        let mut wanted = self.clone();
        wanted.settings.port_base = options.port_base.unwrap_or(wanted.settings.port_base);
        wanted.settings.rekor = options.rekor.unwrap_or(wanted.settings.rekor);
        let built = wanted.build.built();
        Ok(vec![
            platform(),
            wanted.go(built)?,
            wanted.disk(built),
            wanted.ports()?,
            openssl(),
        ])
    }

    /// Builds the servers: nothing else of this target needs a network.
    fn prefetch(&self, options: &ClusterOptions) -> Result<Plan> {
        refuse(options)?;
        let mut plan = Plan::new("prefetch", self.globals.clone());
        for step in self.build.steps()? {
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

    /// Builds, configures and starts everything, and pushes a sample image.
    fn install(&self, options: &InstallOptions) -> Result<Plan> {
        refuse(&options.cluster)?;
        let local = self.clone().with_options(options)?;
        let mut plan = Plan::new("install", local.globals.clone());
        plan.push(local.preflight_step());
        for step in local.build.steps()? {
            plan.push(step);
        }
        local.push_start(&mut plan, &[])?;
        plan.push(local.sample_step()?);
        Ok(plan)
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
    fn preflight_step(&self) -> Step {
        let local = self.clone();
        // It names taken ports before minutes are spent on a build.
        Step::new("preflight", "check what the machine has")
            .done(move || {
                let done = local.build.built() && local.all_run()?;
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
