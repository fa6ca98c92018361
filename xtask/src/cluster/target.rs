//! A cluster as a [`Target`].

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;

use super::conditions::{Condition, Wait};
use super::discovery::Discovery;
use super::follow::follow;
use super::job_manifest::{JobTask, write_job};
use super::signing::name_in_cluster;
use super::{
    Cluster, cert_manager, copies, database, forwards, images, namespaces, release_phase, uninstall,
};
use crate::bundle;
use crate::cli::{Cli, Command, JobVerb, Refusal, StepCommand};
use crate::fail::broken;
use crate::local::process;
use crate::plan::Ready;
use crate::plan::run::{Host, Said};
use crate::preflight::{self};
use crate::signatures::{self, Made};
use crate::state::{self, State};
use crate::target::Installation;
use crate::undo;

impl Host for Cluster {
    fn xtask(&self, words: &[String], say: &dyn Fn(Said<'_>)) -> Result<()> {
        let all = std::iter::once("cargo xtask").chain(words.iter().map(String::as_str));
        let cli = Cli::try_parse_from(all)
            .map_err(|error| broken(format!("a step that is none: {error}")))?;
        match cli.command {
            Command::Preflight { options } => {
                preflight::verdict(&self.reopened()?.preflight(&options)?)?
            }
            Command::Step { step } => self.reopened()?.step(step, say)?,
            other => return Err(broken(format!("{other:?} is no step of a plan")).into()),
        }
        Ok(())
    }

    fn wait(&self, ready: &Ready, say: &dyn Fn(Said<'_>)) -> Result<()> {
        if ready.address == DISCOVERY {
            let discovery = Discovery::of(&self.kubectl()?)?;
            discovery.require(self.kind, &self.settings()?.context)
        } else if ready.address.contains("://") {
            forwards::until_open(&self.dir, ready)
        } else {
            let wait = Wait {
                kubectl: &self.kubectl()?,
                namespace: &ready.component,
                conditions: &Condition::parse_all(&ready.address)?,
                within: ready.within,
                say,
            };
            wait.until_all_hold()
        }
    }
}

/// The condition that the API server's discovery document is one that Fulcio
/// believes.
pub const DISCOVERY: &str = "issuer";

impl Cluster {
    /// The target as it is on disk now: earlier steps changed it.
    pub(super) fn reopened(&self) -> Result<Cluster> {
        let root = self.dir.parent().unwrap_or(&self.dir).to_owned();
        let context = self.settings().ok().map(|settings| &*settings.context);
        let state = State::open(root)?;
        let again = Cluster::open(&self.repo, &state, self.kind, context, &self.options)?;
        Ok(again)
    }

    /// Does one step (`cargo xtask step …`).
    ///
    /// # Errors
    /// Those of the step.
    pub fn step(self, step: StepCommand, say: &dyn Fn(Said<'_>)) -> Result<()> {
        match step {
            StepCommand::Choose { port_base, options } => self.remember(port_base, &options),
            StepCommand::DatabaseSecret => database::make_passwords(&self.kubectl()?),
            StepCommand::CopySecrets => copies::copy(&self.kubectl()?),
            StepCommand::Refuse { what } => match what {
                Refusal::ForeignNamespaces => namespaces::refuse_foreign(&self.kubectl()?),
                Refusal::ForeignRelease => uninstall::refuse_foreign_release(&self.kubectl()?),
                Refusal::ForeignCertManager => cert_manager::refuse_foreign(&self.kubectl()?),
                Refusal::CertManagerInUse => cert_manager::refuse_used(&self.kubectl()?),
                Refusal::WholeRelease => release_phase::refuse_whole(&self.helm()?),
            },
            StepCommand::Preload { image } => {
                images::preload(&self.minikube()?, &image, say);
                Ok(())
            }
            StepCommand::FetchImages => images::fetch(&self.charts()?, &self.minikube()?, say),
            StepCommand::ClearJobs => release_phase::clear_jobs(&self.kubectl()?, &self.helm()?),
            StepCommand::Trust => self.write_trust(),
            StepCommand::SigningConfig { fulcio, rekor, out } => {
                state::write_json(&out, &self.signing_config_for(&fulcio, &rekor)?)
            }
            StepCommand::Job {
                verb,
                name,
                image,
                out,
                account,
                identity,
                issuer,
            } => {
                let task = match verb {
                    JobVerb::Sign => JobTask::Sign { account },
                    JobVerb::Verify => JobTask::Verify { identity, issuer },
                };
                write_job(&self.repo, &task, &name, &image, &out)
            }
            StepCommand::Follow { job, bundle } => {
                follow(&self.kubectl()?, &job, bundle.as_deref(), say)
            }
            StepCommand::Launch { component, words } => {
                forwards::launch(&self.dir, &component, &words)
            }
            StepCommand::Halt { component } => process::halt(&self.dir, &component, &[]),
            StepCommand::Wait {
                component,
                address,
                within,
            } => {
                let within = Duration::from_secs(within);
                self.wait(
                    &Ready {
                        component,
                        address,
                        within,
                    },
                    say,
                )
            }
            StepCommand::Token { user, out } => self.token(&user, &out),
            StepCommand::Unsign {
                image,
                attestations,
            } => undo::unsign(&self, &image, attestations),
            StepCommand::Unlearn { chapter, later } => {
                undo::unlearn(&self.dir, self.kind, &chapter, later)
            }
            StepCommand::Forget { file } => state::forget(&file),
            StepCommand::Record {
                id,
                bundle,
                rekor,
                image,
                blob,
                forwarded,
            } => {
                let blob = blob.map(|file| file.to_string_lossy().into_owned());
                let is_image = image.is_some();
                let image = image.map(|image| match &forwarded {
                    Some(host) => name_in_cluster(&image, host),
                    None => image,
                });
                // A Job that is given a tag signs what the tag means just then.
                let image = image.map(|image| by_digest(image, &bundle)).transpose()?;
                let artifact = image
                    .or(blob)
                    .ok_or_else(|| broken("neither an image nor a file was signed"))?;
                let made = Made {
                    id,
                    bundle: &bundle,
                    rekor,
                    artifact: &artifact,
                    image: is_image,
                    shard: None,
                };
                signatures::remember(&self.dir, made)
            }
            StepCommand::Pages { .. } => Err(broken("that is a step of the book").into()),
            StepCommand::Begin | StepCommand::Configure { .. } | StepCommand::Shard { .. } => {
                Err(broken("that is a step of the local target").into())
            }
        }
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
