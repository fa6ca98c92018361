//! The local target as a [`Target`].

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use serde_json::{Value, json};

use super::{Local, process, shards};
use crate::artifact::{Artifact, Signature};
use crate::cli::{Cli, ClusterOptions, Command, InstallOptions, On, PreflightOptions, StepCommand};
use crate::entry::Version;
use crate::fail::{Fail, broken, not_so};
use crate::http::Server;
use crate::local::settings::Settings;
use crate::plan::run::{Host, Said};
use crate::plan::{Plan, Ready};
use crate::preflight::{self, Check};
use crate::registry;
use crate::signatures::{self, Made};
use crate::state::{self, Lock, State};
use crate::target::{Component, Logs, Part, Reached, Target, Where};
use crate::text::quote;
use crate::undo;
use crate::words;

impl Host for Local {
    fn xtask(&self, words: &[String], _: &dyn Fn(Said<'_>)) -> Result<()> {
        let all = std::iter::once("cargo xtask").chain(words.iter().map(String::as_str));
        let cli = Cli::try_parse_from(all)
            .map_err(|error| broken(format!("a step that is none: {error}")))?;
        match cli.command {
            Command::Preflight { options } => {
                preflight::verdict(&Target::preflight(self, &options)?)?
            }
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
    fn reopened(&self) -> Result<Local> {
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
                undo::unlearn(&self.dir, On::Local, &chapter, later)
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

impl Target for Local {
    fn preflight(&self, options: &PreflightOptions) -> Result<Vec<Check>> {
        let mut local = self.clone();
        local.settings.port_base = options.port_base.unwrap_or(local.settings.port_base);
        local.settings.rekor = options.rekor.unwrap_or(local.settings.rekor);
        Local::preflight(&local)
    }

    fn part(&self, part: Part, _: &ClusterOptions) -> Result<Plan> {
        Err(broken(format!("`{}` is a step of a cluster", part.name()))
            .hint("name one: --on minikube or --on cluster")
            .hint("here all is done by: cargo xtask install")
            .into())
    }

    fn installed(&self) -> bool {
        self.installed
    }

    fn undo(&self, chapter: &str) -> Result<Plan> {
        self.undo_plan(chapter)
    }

    fn doctor(&self) -> Result<Vec<Check>> {
        self.diagnose()
    }

    fn install(&self, options: &InstallOptions) -> Result<Plan> {
        options.cluster.refuse_on_local()?;
        self.clone().with_options(options)?.install_plan()
    }

    fn prefetch(&self, options: &ClusterOptions) -> Result<Plan> {
        options.refuse_on_local()?;
        self.prefetch_plan()
    }

    fn images(&self) -> Result<Option<Vec<String>>> {
        Ok(None)
    }

    fn hold_shared(&self, again: bool, waiting: &dyn Fn()) -> Result<Option<Lock>> {
        self.servers.hold(again, waiting)
    }

    fn start(&self, components: &[String]) -> Result<Plan> {
        self.start_plan(components)
    }

    fn stop(&self, components: &[String]) -> Result<Plan> {
        self.stop_plan(components)
    }

    fn restart(&self, components: &[String]) -> Result<Plan> {
        self.restart_plan(components)
    }

    fn uninstall(&self, tools: bool, _: bool) -> Result<Plan> {
        Ok(self.uninstall_plan(tools))
    }

    fn status(&self) -> Result<Vec<Component>> {
        Local::status(self)
    }

    fn logs(&self, component: Option<&str>) -> Result<Logs> {
        self.require_installed()?;
        let names = match component {
            Some(name) => vec![self.chosen_server(name)?.name.clone()],
            None => self
                .manifest
                .chosen(self.settings.rekor)
                .map(|server| server.name.clone())
                .collect(),
        };
        Ok(Logs::Files(
            names
                .into_iter()
                .map(|name| (name.clone(), self.dir.join(format!("logs/{name}.log"))))
                .collect(),
        ))
    }

    fn sign(&self, artifacts: &[Artifact], user: &str, rekor: Version, _: Where) -> Result<Plan> {
        self.sign_plan(artifacts, user, rekor)
    }

    fn verify(
        &self,
        artifacts: &[Artifact],
        identity: &str,
        issuer: &str,
        _: Where,
    ) -> Result<Plan> {
        let policy = words![
            "--certificate-identity",
            identity,
            "--certificate-oidc-issuer",
            issuer
        ];
        self.verify_plan(artifacts, &policy)
    }

    fn default_user(&self) -> &'static str {
        "alice"
    }

    fn identity(&self, user: &str) -> Result<String> {
        self.require_installed()?;
        Ok(self.user(user)?.email)
    }

    fn issuer(&self) -> Result<String> {
        Local::issuer(self)
    }

    fn sample(&self) -> Result<String> {
        Local::sample(self)
    }

    fn rekor(&self) -> Version {
        self.settings.rekor.newest()
    }

    fn reach_rekor(&self, version: Version) -> Result<Reached> {
        self.require_installed()?;
        Ok(Reached {
            server: Server::at(self.rekor_address(version)?),
            held: None,
        })
    }

    fn reach_registry(&self, host: &str) -> Result<Reached> {
        let server = if host == self.address("registry")? {
            Server {
                url: format!("https://{host}"),
                ca: Some(self.dir.join("keys/registry.pem")),
            }
        } else {
            registry::elsewhere(host)
        };
        Ok(Reached { server, held: None })
    }

    fn trusted_root(&self) -> Result<PathBuf> {
        self.require_installed()?;
        Ok(self.trust_file("trusted_root.json"))
    }

    fn dir(&self) -> PathBuf {
        self.dir.clone()
    }

    fn signatures(&self) -> Result<Vec<Signature>> {
        self.require_installed()?;
        signatures::all(&self.dir)
    }

    fn lost(&self, signature: &Signature) -> Result<Option<Fail>> {
        let Some(number) = signature.shard else {
            return Ok(None);
        };
        if shards::current(&self.dir, "rekor-v1")?.is_some_and(|shard| shard.number == number) {
            return Ok(None);
        }
        let what = format!(
            "the entry was in shard {number} of Rekor v1, which ended with the Trillian that held it in memory"
        );
        let bundle = quote(&signature.bundle.to_string_lossy());
        Ok(Some(not_so(what).hint(format!(
            "the bundle still proves it: cargo xtask inspect-rekor --bundle {bundle}"
        ))))
    }

    fn env(&self) -> Result<Vec<(&'static str, String)>> {
        self.require_installed()?;
        let path = |path: PathBuf| path.to_string_lossy().into_owned();
        let url = |port: &str| {
            self.address(port)
                .map(|address| format!("http://{address}"))
        };
        let mut env = vec![
            ("WORKSHOP_COSIGN", path(self.servers.program("cosign"))),
            (
                "WORKSHOP_TRUSTED_ROOT",
                path(self.trust_file("trusted_root.json")),
            ),
            (
                "WORKSHOP_SIGNING_CONFIG",
                path(self.trust_file("signing_config.json")),
            ),
            (
                "WORKSHOP_TRUST_CONFIG",
                path(self.trust_file("client_trust_config.json")),
            ),
            ("WORKSHOP_ISSUER", Local::issuer(self)?),
            ("WORKSHOP_IDENTITY", self.identity(self.default_user())?),
            ("WORKSHOP_FULCIO", url("fulcio")?),
            (
                "WORKSHOP_TIMESTAMP",
                format!("{}/api/v1/timestamp", url("timestamp")?),
            ),
            (
                "WORKSHOP_REKOR",
                Local::rekor_address(self, self.settings.rekor.newest())?,
            ),
            ("WORKSHOP_REGISTRY", self.address("registry")?),
            (
                "WORKSHOP_REGISTRY_CA",
                path(self.dir.join("keys/registry.pem")),
            ),
            ("WORKSHOP_SAMPLE", Local::sample(self)?),
            ("WORKSHOP_USERS", path(self.dir.join("keys/users.yml"))),
        ];
        env.push(("TUF_ROOT", path(self.tuf_root())));
        Ok(env)
    }

    fn summary(&self) -> Result<Value> {
        let local = self.reopened()?;
        Ok(json!({
            "sample": local.sample()?,
            "issuer": Local::issuer(&local)?,
            "registry": local.address("registry")?,
            "rekor": local.settings.rekor.name(),
        }))
    }
}
