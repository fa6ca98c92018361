//! Signing and verifying as Jobs in the cluster: for each artifact a step that writes
//! the Job, one that runs it and one that removes it.

use std::path::PathBuf;

use anyhow::Result;

use crate::artifact::Artifact;
use crate::cluster::Cluster;
use crate::cluster::object::DEFAULT;
use crate::cosign::numbered;
use crate::plan::{Plan, Step, Word};
use crate::words;

/// One Job: what it does with which image, and its place among others.
struct JobPlan<'a> {
    verb: &'static str,
    name: &'a str,
    image: &'a str,
    place: usize,
}

impl Cluster {
    /// Adds the Jobs of these names that sign as a service account.
    pub(in crate::cluster) fn push_sign_jobs(
        &self,
        plan: &mut Plan,
        artifacts: &[Artifact],
        account: &str,
        names: &[String],
    ) -> Result<()> {
        let call = std::process::id();
        for job in jobs("sign", artifacts, names) {
            let bundle = self.bundle_file(job.name);
            let follow = words!["step", "follow", job.name, "--bundle", bundle.as_path()];
            let mut record = words!["step", "record", "--id", format!("{call}-{}", job.place)];
            record.extend(words!["--rekor", "v1", "--bundle", bundle.as_path()]);
            record.extend(words!["--image", job.image]);
            let step = self.create_step(plan, &job, words!["--as", account])?;
            self.push_job(plan, step.xtask(follow).xtask(record), job.name)?;
        }
        Ok(())
    }

    /// Adds the Jobs of these names that verify.
    pub(in crate::cluster) fn push_verify_jobs(
        &self,
        plan: &mut Plan,
        artifacts: &[Artifact],
        (identity, issuer): (&str, &str),
        names: &[String],
    ) -> Result<()> {
        for job in jobs("verify", artifacts, names) {
            let policy = words!["--identity", identity, "--issuer", issuer];
            let step = self.create_step(plan, &job, policy)?;
            let follow = words!["step", "follow", job.name];
            self.push_job(plan, step.xtask(follow), job.name)?;
        }
        Ok(())
    }

    /// Adds the step that writes a Job, and returns the one that creates it.
    fn create_step(&self, plan: &mut Plan, job: &JobPlan<'_>, options: Vec<Word>) -> Result<Step> {
        let &JobPlan {
            verb, name, image, ..
        } = job;
        let suffix = numbered(job.place);
        let file = self.job_file(name);
        let mut write = words!["step", "job", verb, "--name", name, "--image", image];
        write.extend(words!["--out", file.as_path()]);
        write.extend(options);
        let title = format!("write the Job that will {verb} {image}");
        let step = Step::new(format!("job{suffix}"), title);
        plan.push(step.again().xtask(write));
        let create = words!["create", "--filename", file.as_path()];
        let title = format!("{verb} {image} in the cluster");
        Ok(Step::new(format!("{verb}{suffix}"), title)
            .needs([format!("job{suffix}")])
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
                .xtask(words!["step", "forget", self.job_file(job)])
                .xtask(words!["step", "forget", self.bundle_file(job)]),
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
fn jobs<'a>(
    verb: &'static str,
    artifacts: &'a [Artifact],
    names: &'a [String],
) -> impl Iterator<Item = JobPlan<'a>> {
    let all = artifacts.iter().zip(names).enumerate();
    all.filter_map(move |(place, (artifact, name))| match artifact {
        Artifact::Image(image) => Some(JobPlan {
            verb,
            name,
            image,
            place,
        }),
        Artifact::Blob { .. } => None,
    })
}
