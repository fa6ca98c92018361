//! The local target as a [`Target`].

use anyhow::Result;
use clap::Parser;

use super::{Local, process, shards};
use crate::cli::{Cli, Command, StepCommand};
use crate::entry::Version;
use crate::fail::broken;
use crate::local::settings::Settings;
use crate::plan::Ready;
use crate::plan::run::{Host, Said};
use crate::preflight::{self};
use crate::signatures::{self, Made};
use crate::state::{self, State};
use crate::target::{Installation, TargetKind};

use crate::undo;

impl Host for Local {
    fn xtask(&self, words: &[String], _: &dyn Fn(Said<'_>)) -> Result<()> {
        let all = std::iter::once("cargo xtask").chain(words.iter().map(String::as_str));
        let cli = Cli::try_parse_from(all)
            .map_err(|error| broken(format!("a step that is none: {error}")))?;
        match cli.command {
            Command::Preflight { options } => preflight::verdict(&self.preflight(&options)?)?,
            // To stop a server is part of a removal, which damaged settings
            // must not prevent.
            Command::Step {
                step: step @ StepCommand::Halt { .. },
            } => self.clone().step(step)?,
            Command::Step { step } => self.reopened()?.step(step)?,
            other => return Err(broken(format!("{other:?} is no step of a plan")).into()),
        }
        Ok(())
    }

    fn wait(&self, ready: &Ready, _: &dyn Fn(Said<'_>)) -> Result<()> {
        process::wait(&self.dir, ready)
    }
}

impl Local {
    /// The target as it is on disk now: earlier steps changed it.
    pub(super) fn reopened(&self) -> Result<Local> {
        let root = self.dir.parent().unwrap_or(&self.dir).to_owned();
        Local::open(&self.repo, &State::open(root)?, self.globals.clone())
    }

    /// Does one step (`cargo xtask step …`).
    ///
    /// # Errors
    /// Those of the step.
    pub fn step(mut self, step: StepCommand) -> Result<()> {
        match step {
            StepCommand::Begin => {
                State::open(self.dir.parent().unwrap_or(&self.dir).to_owned())?.create()?;
                state::make_dir(&self.dir)?;
                self.check_keys()
            }
            StepCommand::Configure {
                port_base,
                rekor,
                fulcio,
                timestamp,
            } => {
                if !self.installed {
                    self.settings = Settings::new(port_base, rekor);
                }
                self.settings.port_base = port_base;
                self.settings.rekor = rekor;
                Settings::renew(&mut self.settings.fulcio, fulcio.into());
                Settings::renew(&mut self.settings.timestamp, timestamp.into());
                self.configure()
            }
            StepCommand::Launch { component, words } => {
                let server = self.manifest.server(&component)?;
                let env: Vec<_> = server.env.clone().into_iter().collect();
                process::launch(&process::Launch {
                    dir: &self.dir,
                    name: &component,
                    words: &words,
                    env: &env,
                    uses: &server.uses,
                    ports: &self.server_ports(server)?,
                    ready: &self.server_ready(server)?,
                    version: self
                        .servers
                        .versions()
                        .ok()
                        .and_then(|mut all| all.remove(&server.module)),
                })
                .map(drop)
            }
            StepCommand::Wait {
                component,
                address,
                within,
            } => {
                let within = std::time::Duration::from_secs(within);
                process::wait(
                    &self.dir,
                    &Ready {
                        component,
                        address,
                        within,
                    },
                )
            }
            StepCommand::Halt { component } => {
                let server = self.manifest.server(&component)?;
                process::halt(&self.dir, &server.name, &self.server_ports(server)?)
            }
            StepCommand::Shard { log, tree } => shards::open(&self, &log, &tree),
            StepCommand::Trust => self.write_trust(),
            StepCommand::Token { user, out } => self.token(&user, &out),
            StepCommand::Unsign {
                image,
                attestations,
            } => undo::unsign(&self, &image, attestations),
            StepCommand::Unlearn { chapter, later } => {
                undo::unlearn(&self.dir, TargetKind::Local, &chapter, later)
            }
            StepCommand::Forget { file } => state::forget(&file),
            StepCommand::Record {
                id,
                bundle,
                rekor,
                image,
                blob,
                forwarded: _,
            } => {
                let artifact = image.as_deref().zip(Some(true));
                let blob = blob.as_ref().map(|file| file.to_string_lossy());
                let (name, image) = artifact
                    .or(blob.as_deref().zip(Some(false)))
                    .ok_or_else(|| broken("neither an image nor a file was signed"))?;
                let shard = match rekor {
                    Version::V1 => shards::current(&self.dir, "rekor-v1")?,
                    Version::V2 => None,
                };
                let made = Made {
                    id,
                    bundle: &bundle,
                    rekor,
                    artifact: name,
                    image,
                    shard: shard.map(|shard| shard.number),
                };
                signatures::remember(&self.dir, made)
            }
            StepCommand::Choose { .. }
            | StepCommand::DatabaseSecret
            | StepCommand::CopySecrets
            | StepCommand::Refuse { .. }
            | StepCommand::Preload { .. }
            | StepCommand::FetchImages
            | StepCommand::ClearJobs
            | StepCommand::SigningConfig { .. }
            | StepCommand::Job { .. }
            | StepCommand::Follow { .. } => Err(broken("that is a step of a cluster").into()),
            StepCommand::Pages { .. } => Err(broken("that is a step of the book").into()),
        }
    }
}
