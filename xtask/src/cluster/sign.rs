//! Signing and verifying: as Jobs in the cluster, or from this machine.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Cluster;
use super::forwards::{Forward, Passage};
use super::jobs::{Task, WITHIN};
use super::objects::DEFAULT;
use super::steps::{Follow, Job, SigningConfig};
use crate::artifact::Artifact;
use crate::bundle;
use crate::cosign::{Cosign, SignRequest, numbered};
use crate::entry::Version;
use crate::exec::output_of;
use crate::fail::broken;
use crate::local::build::ServerBuild;
use crate::plan::{Plan, Step};
use crate::random::random;
use crate::state;
use crate::target::steps::{Forget, Record, SigningTarget};
use crate::target::{CosignRuns, Signing};
use crate::words;

/// The registry as the cluster names it.
pub const REGISTRY: &str = "registry.default.svc.cluster.local";

impl Cluster {
    /// Adds the steps that sign as a service account from this machine.
    pub(super) fn push_sign_here(
        &self,
        plan: &mut Plan,
        artifacts: &[Artifact],
        account: &str,
    ) -> Result<()> {
        let passages = self.passages(&["fulcio", "rekor", "registry"], artifacts)?;
        let opened = self.push_open(plan, &passages)?;
        let (config, write) = self.signing_config_file(&passages)?;
        let mut needs = opened;
        let is_written = write.is_some();
        if let Some(step) = write {
            needs.push(step.name.clone());
            plan.push(step);
        }
        let ends = self.push_signing(plan, artifacts, account, &config, &passages, &needs)?;
        if is_written {
            plan.push(
                Step::new("forget-signing-config", "delete the signing config")
                    .needs(ends)
                    .always()
                    .xtask(Forget { file: config }),
            );
        }
        Ok(())
    }

    /// Adds the Jobs that sign as a service account.
    pub(super) fn push_sign_jobs(
        &self,
        plan: &mut Plan,
        artifacts: &[Artifact],
        account: &str,
    ) -> Result<()> {
        for (i, artifact) in artifacts.iter().enumerate() {
            let Artifact::Image(image) = artifact else {
                continue;
            };
            let account = account.to_owned();
            let name = format!("sign-{}", unique()?);
            let bundle = self.bundle_file(&name);
            let task = Task::Sign { account };
            let step = self
                .job_steps(plan, i, image, &name, task)?
                .xtask(Follow {
                    job: name.clone(),
                    bundle: Some(bundle.clone()),
                })
                .xtask(Record {
                    bundle,
                    rekor: Version::V1,
                    image: Some(image.into()),
                    blob: None,
                    forwarded: None,
                });
            self.push_job(plan, step, &name)?;
        }
        Ok(())
    }

    /// Adds the steps that verify from this machine.
    pub(super) fn push_verify_here(
        &self,
        plan: &mut Plan,
        artifacts: &[Artifact],
        identity: &str,
        issuer: &str,
    ) -> Result<()> {
        let passages = self.passages(&["registry"], artifacts)?;
        let opened = self.push_open(plan, &passages)?;
        let policy = words![
            "--certificate-identity",
            identity,
            "--certificate-oidc-issuer",
            issuer
        ];
        let cosign = self.cosign(&passages)?;
        let artifacts = self.as_seen_here(artifacts, &passages);
        let ends = cosign.push_verify(plan, &artifacts, &policy, &opened);
        self.push_close(plan, &passages, &ends);
        Ok(())
    }

    /// Adds the Jobs that verify.
    pub(super) fn push_verify_jobs(
        &self,
        plan: &mut Plan,
        artifacts: &[Artifact],
        identity: &str,
        issuer: &str,
    ) -> Result<()> {
        for (i, artifact) in artifacts.iter().enumerate() {
            let Artifact::Image(image) = artifact else {
                continue;
            };
            let (identity, issuer) = (identity.to_owned(), issuer.to_owned());
            let name = format!("verify-{}", unique()?);
            let task = Task::Verify { identity, issuer };
            let step = self.job_steps(plan, i, image, &name, task)?.xtask(Follow {
                job: name.clone(),
                bundle: None,
            });
            self.push_job(plan, step, &name)?;
        }
        Ok(())
    }

    /// Adds the step that writes a Job, and returns the one that creates it.
    fn job_steps(
        &self,
        plan: &mut Plan,
        i: usize,
        image: &str,
        name: &str,
        task: Task,
    ) -> Result<Step> {
        let suffix = numbered(i);
        let file = self.job_file(name);
        let job = Job::of(task, name, image, file.clone());
        let verb = job.verb.name();
        let title = format!("write the Job that will {verb} {image}");
        plan.push(Step::new(format!("job{suffix}"), title).again().xtask(job));
        let create = words!["create", "--filename", file];
        let title = format!("{verb} {image} in the cluster");
        Ok(Step::new(format!("{verb}{suffix}"), title)
            .needs([format!("job{suffix}")])
            .run(self.kubectl(create)?))
    }

    fn job_file(&self, job: &str) -> PathBuf {
        self.dir.join(format!("tmp/{job}.yml"))
    }

    fn bundle_file(&self, job: &str) -> PathBuf {
        self.dir.join(format!("tmp/{job}.sigstore.json"))
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
                .run(self.kubectl(remove)?.finishes())
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

    fn push_signing(
        &self,
        plan: &mut Plan,
        artifacts: &[Artifact],
        account: &str,
        config: &Path,
        passages: &[Passage],
        needs: &[String],
    ) -> Result<Vec<String>> {
        let artifacts = self.as_seen_here(artifacts, passages);
        let request = SignRequest {
            artifacts: &artifacts,
            user: account,
            identity: &self.identity(account)?,
            issued_by: "the cluster",
            signing_config: config,
            rekor: Version::V1,
            dir: &self.dir,
            forwarded: forwarded(passages),
        };
        let ends = self.cosign(passages)?.push_sign(plan, &request, needs);
        self.push_close(plan, passages, &ends);
        Ok(ends)
    }

    /// The ways into the cluster that a command needs: files need no registry, and
    /// an ingress shows the rest.
    fn passages(&self, names: &[&str], artifacts: &[Artifact]) -> Result<Vec<Passage>> {
        let ingress = self.settings()?.ingress.is_some();
        let images = artifacts
            .iter()
            .any(|artifact| matches!(artifact, Artifact::Image(_)));
        names
            .iter()
            .filter(|name| {
                if **name == "registry" {
                    images
                } else {
                    !ingress
                }
            })
            .map(|name| self.passage(Forward::named(name)?))
            .collect()
    }

    /// The signing config, and the step that writes it where the passages are on
    /// ports of their own.
    fn signing_config_file(&self, passages: &[Passage]) -> Result<(PathBuf, Option<Step>)> {
        let port = |name: &str| {
            passages
                .iter()
                .find(|passage| passage.forward.name == name && !passage.stays)
                .map(|passage| passage.port)
        };
        let lasting = self.trust_file("signing_config.json");
        if port("fulcio").is_none() && port("rekor").is_none() {
            return Ok((lasting, None));
        }
        let (fulcio, rekor) = self.host_urls()?;
        let url = |name: &str, otherwise: String| {
            port(name).map_or(otherwise, |port| format!("http://127.0.0.1:{port}"))
        };
        let file = self
            .dir
            .join(format!("tmp/signing_config-{}.json", std::process::id()));
        let step = Step::new(
            "signing-config",
            "write a signing config for these forwards",
        )
        .again()
        .xtask(SigningConfig {
            fulcio: url("fulcio", fulcio),
            rekor: url("rekor", rekor),
            out: file.clone(),
        });
        Ok((file, Some(step)))
    }

    /// The artifacts with the registry under the name that it has here.
    fn as_seen_here(&self, artifacts: &[Artifact], passages: &[Passage]) -> Vec<Artifact> {
        let port = passages
            .iter()
            .find(|passage| passage.forward.name == "registry")
            .map(|passage| passage.port);
        let here = |image: &String| match (image.strip_prefix(REGISTRY), port) {
            (Some(rest), Some(port)) => format!("127.0.0.1:{port}{rest}"),
            _ => image.clone(),
        };
        artifacts
            .iter()
            .map(|artifact| match artifact {
                Artifact::Image(image) => Artifact::Image(here(image)),
                blob => blob.clone(),
            })
            .collect()
    }

    fn cosign(&self, passages: &[Passage]) -> Result<Cosign> {
        let registry = passages
            .iter()
            .filter(|passage| passage.forward.name == "registry");
        let mut env = Vec::new();
        if self.settings()?.ingress.is_some() {
            let file = self.trust_file("ingress.pem");
            env.push((
                "SSL_CERT_FILE".to_owned(),
                file.to_string_lossy().into_owned(),
            ));
        }
        Ok(Cosign {
            program: self.cosign_program()?,
            tuf_root: self.tuf_root(),
            trusted_root: self.trust_file("trusted_root.json"),
            registry: registry
                .map(|passage| format!("127.0.0.1:{}", passage.port))
                .collect(),
            registry_ca: self.trust_file("registry.pem"),
            env,
        })
    }

    /// The cosign of this machine: the one that the local target built, else that
    /// of the PATH.
    ///
    /// # Errors
    /// Where there is none.
    pub fn cosign_program(&self) -> Result<PathBuf> {
        let built = ServerBuild::of(&self.repo)?.program("cosign");
        if built.is_file() {
            return Ok(built);
        }
        Ok(which::which("cosign").map_err(|_| {
            broken("there is no cosign on this machine")
                .hint("install cosign 3: https://docs.sigstore.dev/cosign/system_config/installation/")
                .hint("or build it with Go: cargo xtask --on local install")
        })?)
    }
}

impl SigningTarget for Cluster {
    /// Asks the cluster for a token of a service account.
    fn write_token(&self, account: &str, out: &Path) -> Result<()> {
        let words = words![
            "create",
            "token",
            account,
            "--namespace",
            DEFAULT,
            "--audience=sigstore",
            format!("--duration={}s", WITHIN.as_secs().max(600))
        ];
        let token = output_of(&self.ask(words)?, None)?;
        state::write(out, token.trim().as_bytes(), 0o600)
    }

    fn name_of_image(
        &self,
        image: String,
        bundle: &Path,
        forwarded: Option<&str>,
    ) -> Result<String> {
        let image = forwarded.map_or(image.clone(), |host| name_in_cluster(&image, host));
        // A Job that is given a tag signs what the tag means just then.
        by_digest(image, bundle)
    }

    fn current_shard(&self, _: Version) -> Result<Option<usize>> {
        Ok(None)
    }
}

/// The host under which this machine reaches the registry through a forward.
fn forwarded(passages: &[Passage]) -> Option<String> {
    let mut all = passages.iter();
    let registry = all.find(|passage| passage.forward.name == "registry")?;
    Some(format!("127.0.0.1:{}", registry.port))
}

/// What tells the Jobs of everybody who uses a cluster apart: ten digits.
fn unique() -> Result<String> {
    let bytes: [u8; 4] = random()?;
    Ok(format!("{:010}", u32::from_be_bytes(bytes)))
}

/// Whether cosign runs on this machine: files are here, not in the cluster.
pub(super) fn runs_here(artifacts: &[Artifact], from: CosignRuns) -> bool {
    from == CosignRuns::OnHost
        || artifacts
            .iter()
            .any(|artifact| matches!(artifact, Artifact::Blob { .. }))
}

/// The name in the cluster of an image of the registry that was forwarded to
/// `host`.
fn name_in_cluster(image: &str, host: &str) -> String {
    match image.strip_prefix(host) {
        Some(rest) if rest.starts_with('/') => format!("{REGISTRY}{rest}"),
        _ => image.to_owned(),
    }
}

/// The name of an image by the digest that the statement in a bundle names.
fn by_digest(image: String, file: &Path) -> Result<String> {
    if image.contains('@') {
        return Ok(image);
    }
    let text = state::read(file)?.unwrap_or_default();
    let Some(digest) = bundle::read(&text)?.subject_digest() else {
        return Ok(image);
    };
    let tag = image
        .rsplit('/')
        .next()
        .and_then(|name| name.split_once(':'));
    let name = tag.map_or(image.as_str(), |(_, tag)| {
        &image[..image.len() - tag.len() - 1]
    });
    Ok(format!("{name}@{digest}"))
}
