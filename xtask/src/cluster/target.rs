//! A cluster as a [`Target`].

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;

use super::jobs::Task;
use super::{Cluster, settings};
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
            self.check_discovery()
        } else if ready.address.contains("://") {
            self.until_open(ready)
        } else {
            self.wait_for(ready, say)
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
        let context = self
            .settings
            .as_ref()
            .ok()
            .map(|settings| settings.context.clone());
        let state = State::open(root)?;
        let mut again = Cluster::open(&self.repo, &state, self.kind, context.as_deref(), &[])?;
        again.globals.clone_from(&self.globals);
        Ok(again)
    }

    /// Does one step (`cargo xtask step …`).
    ///
    /// # Errors
    /// Those of the step.
    pub fn step(self, step: StepCommand, say: &dyn Fn(Said<'_>)) -> Result<()> {
        match step {
            StepCommand::Choose { port_base, options } => {
                State::open(self.dir.parent().unwrap_or(&self.dir).to_owned())?.create()?;
                // Nothing but what is typed here counts: it is the whole choice.
                let mut fresh = self.clone();
                fresh.settings = Ok(settings::Settings {
                    port_base,
                    ..settings::Settings::new(&self.settings()?.context)
                });
                let chosen = fresh.with_options(&options, Some(port_base))?;
                // Helm writes into this one, and makes none.
                state::make_dir(&chosen.fetched_charts()?)?;
                chosen.write_values()?;
                state::write_json(&chosen.dir.join("settings.json"), chosen.settings()?)
            }
            StepCommand::DatabaseSecret => self.make_database_secret(),
            StepCommand::CopySecrets => self.copy_secrets(),
            StepCommand::Refuse { what } => match what {
                Refusal::ForeignNamespaces => self.refuse_foreign_namespaces(),
                Refusal::ForeignRelease => self.refuse_foreign_release(),
                Refusal::ForeignCertManager => self.refuse_foreign_cert_manager(),
                Refusal::CertManagerInUse => self.refuse_used_cert_manager(),
                Refusal::WholeRelease => self.refuse_whole(),
            },
            StepCommand::Preload { image } => {
                self.preload(&image, say);
                Ok(())
            }
            StepCommand::FetchImages => self.fetch_images(say),
            StepCommand::ClearJobs => self.clear_jobs(),
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
                    JobVerb::Sign => Task::Sign { account },
                    JobVerb::Verify => Task::Verify { identity, issuer },
                };
                self.write_job(&task, &name, &image, &out)
            }
            StepCommand::Follow { job, bundle } => self.follow(&job, bundle.as_deref(), say),
            StepCommand::Launch { component, words } => self.launch(&component, &words),
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
                    Some(host) => Cluster::name_in_cluster(&image, host),
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
