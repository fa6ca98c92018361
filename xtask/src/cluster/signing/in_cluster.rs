//! Signing and verifying as Jobs in the cluster: for each artifact a step that writes
//! the Job, one that runs it and one that removes it.

use std::path::PathBuf;

use anyhow::Result;

use crate::artifact::Artifact;
use crate::cluster::Cluster;
use crate::cluster::job_manifest::JobTask;
use crate::cluster::object::DEFAULT;
use crate::cluster::sign_addresses::config_name;
use crate::cluster::steps::{Follow, Job};
use crate::entry::Version;
use crate::fail::broken;
use crate::plan::{Plan, Step, numbered};
use crate::target::Verification;
use crate::target::steps::{Forget, Record};
use crate::words;

/// One Job: its name, the image that it is about, and its place among others.
struct JobPlan<'a> {
    name: &'a str,
    image: &'a str,
    place: usize,
}

impl Cluster {
    /// Adds the Jobs of these names that sign as a service account, into a version of
    /// Rekor.
    pub(in crate::cluster) fn push_sign_jobs(
        &self,
        plan: &mut Plan,
        artifacts: &[Artifact],
        (account, rekor): (&str, Version),
        names: &[String],
    ) -> Result<()> {
        for job in jobs(artifacts, names) {
            let bundle = self.bundle_file(job.name);
            let task = JobTask::Sign {
                account: account.to_owned(),
                config: config_name(self.settings()?.rekor, rekor).to_owned(),
            };
            let step = self
                .create_step(plan, &job, task)?
                .xtask(Follow {
                    job: job.name.to_owned(),
                    bundle: Some(bundle.clone()),
                    signed: false,
                    image: None,
                    signer: None,
                })
                .xtask(Record {
                    bundle,
                    rekor,
                    image: Some(job.image.into()),
                    blob: None,
                    forwarded: None,
                });
            self.push_job(plan, step, job.name)?;
        }
        Ok(())
    }

    /// Adds the Jobs of these names that verify.
    pub(in crate::cluster) fn push_verify_jobs(
        &self,
        plan: &mut Plan,
        asked: &Verification<'_>,
        names: &[String],
    ) -> Result<()> {
        if asked.signer.key.is_some() {
            return Err(
                broken("a Job in the cluster has no key file of this machine")
                    .hint("verify from here: --from-host")
                    .into(),
            );
        }
        for job in jobs(asked.artifacts, names) {
            let task = JobTask::Verify {
                signer: asked.signer.clone(),
                attestation: asked.attestation.map(str::to_owned),
            };
            let step = self.create_step(plan, &job, task)?.xtask(Follow {
                job: job.name.to_owned(),
                bundle: None,
                signed: asked.attestation.is_none(),
                image: Some(job.image.to_owned()),
                signer: Some(asked.signer.expected()),
            });
            self.push_job(plan, step, job.name)?;
        }
        Ok(())
    }

    /// Adds the step that writes a Job, and returns the one that creates it.
    fn create_step(&self, plan: &mut Plan, job: &JobPlan<'_>, task: JobTask) -> Result<Step> {
        let (suffix, image) = (numbered(job.place), job.image);
        let file = self.job_file(job.name);
        let write = Job::of(task, job.name, image, file.clone());
        let verb = write.verb.name();
        let written = format!("job{suffix}");
        plan.push(write.step(&written));
        let create = words!["create", "--filename", file];
        let title = format!("{verb} {image} in the cluster");
        Ok(Step::new(format!("{verb}{suffix}"), title)
            .needs([written])
            .run(self.kubectl()?.command(create)))
    }

    /// Adds the step of a Job, and the one that removes it, however it ended.
    fn push_job(&self, plan: &mut Plan, step: Step, job: &str) -> Result<()> {
        let name = step.name.clone();
        plan.push(step);
        let remove = words![
            "delete",
            format!("job/{job}"),
            "--namespace",
            DEFAULT,
            "--ignore-not-found",
            "--wait=false"
        ];
        plan.push(
            Step::new(format!("clean-up-{name}"), format!("remove the Job {job}"))
                .needs([name])
                .always()
                .run(self.kubectl()?.command(remove).finishes())
                // Where it was interrupted these are left.
                .xtask(Forget {
                    file: self.job_file(job),
                })
                .xtask(Forget {
                    file: self.bundle_file(job),
                }),
        );
        Ok(())
    }

    fn job_file(&self, job: &str) -> PathBuf {
        self.dir.join(format!("tmp/{job}.yml"))
    }

    fn bundle_file(&self, job: &str) -> PathBuf {
        self.dir.join(format!("tmp/{job}.sigstore.json"))
    }
}

/// The Jobs of these names for the images among the artifacts.
fn jobs<'a>(artifacts: &'a [Artifact], names: &'a [String]) -> impl Iterator<Item = JobPlan<'a>> {
    let all = artifacts.iter().zip(names).enumerate();
    all.filter_map(move |(place, (artifact, name))| match artifact {
        Artifact::Image(image) => Some(JobPlan { name, image, place }),
        Artifact::Blob { .. } => None,
    })
}
