//! A cluster as a [`Target`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use serde_json::{Value, json};

use super::forwards::{FORWARDS, Forward};
use super::jobs::Task;
use super::sign::REGISTRY;
use super::status::COMPONENTS;
use super::{Cluster, settings};
use crate::artifact::{Artifact, Signature};
use crate::bundle;
use crate::cli::{
    Cli, ClusterOptions, Command, InstallOptions, JobVerb, PreflightOptions, Refusal, StepCommand,
};
use crate::entry::Version;
use crate::fail::{Fail, broken, not_so};
use crate::http::Server;
use crate::local::process;
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

impl Host for Cluster {
    fn xtask(&self, words: &[String], say: &dyn Fn(Said<'_>)) -> Result<()> {
        let all = std::iter::once("cargo xtask").chain(words.iter().map(String::as_str));
        let cli = Cli::try_parse_from(all)
            .map_err(|error| broken(format!("a step that is none: {error}")))?;
        match cli.command {
            Command::Preflight { .. } => preflight::verdict(&self.reopened()?.preflight()?)?,
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
    fn reopened(&self) -> Result<Cluster> {
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

impl Target for Cluster {
    fn preflight(&self, _: &PreflightOptions) -> Result<Vec<Check>> {
        Cluster::preflight(self)
    }

    fn install(&self, options: &InstallOptions) -> Result<Plan> {
        if options
            .rekor
            .is_some_and(|rekor| rekor != crate::entry::Versions::V1)
        {
            return Err(broken("the chart sigstore/scaffold installs Rekor v1 only")
                .hint("Rekor v2 runs on the local target: --on local")
                .into());
        }
        if options.renew.is_some() {
            return Err(broken("--renew is for the local target").into());
        }
        self.install_plan(options)
    }

    fn part(&self, part: Part, options: &ClusterOptions) -> Result<Plan> {
        self.part_plan(part, options)
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

    fn prefetch(&self, options: &ClusterOptions) -> Result<Plan> {
        self.prefetch_plan(options)
    }

    fn images(&self) -> Result<Option<Vec<String>>> {
        self.reopened()?.named_images().map(Some)
    }

    fn hold_shared(&self, _: bool, _: &dyn Fn()) -> Result<Option<Lock>> {
        Ok(None)
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

    fn uninstall(&self, _: bool, machine: bool) -> Result<Plan> {
        self.uninstall_plan(machine)
    }

    fn status(&self) -> Result<Vec<Component>> {
        Cluster::status(self)
    }

    fn logs(&self, component: Option<&str>) -> Result<Logs> {
        self.require_installed()?;
        // Of all, those that are there.
        let there: Vec<String> = match component {
            Some(name) => vec![name.to_owned()],
            None => {
                let all = self.status()?.into_iter();
                let all = all.filter(|component| component.state != "stopped");
                all.map(|component| component.name).collect()
            }
        };
        let chosen: Vec<_> = COMPONENTS
            .iter()
            .filter(|(name, ..)| there.iter().any(|there| there == name))
            .collect();
        if chosen.is_empty() {
            let names = COMPONENTS.map(|(name, ..)| name).join(", ");
            return Err(broken(format!(
                "there is no component named {:?}",
                component.unwrap_or_default()
            ))
            .hint(format!("the components are: {names}"))
            .into());
        }
        let print = |&(name, namespace, deployment): &(&str, &str, &str)| {
            let words = words![
                "logs",
                "--namespace",
                namespace,
                "--all-containers",
                "--ignore-errors",
                format!("deployment/{deployment}")
            ];
            Ok((name.to_owned(), self.kubectl(words)?))
        };
        chosen
            .into_iter()
            .map(print)
            .collect::<Result<_>>()
            .map(Logs::Programs)
    }

    fn sign(
        &self,
        artifacts: &[Artifact],
        user: &str,
        rekor: Version,
        from: Where,
    ) -> Result<Plan> {
        only_v1(rekor)?;
        self.sign_plan(artifacts, user, from)
    }

    fn verify(
        &self,
        artifacts: &[Artifact],
        identity: &str,
        issuer: &str,
        from: Where,
    ) -> Result<Plan> {
        self.verify_plan(artifacts, identity, issuer, from)
    }

    fn default_user(&self) -> &'static str {
        "default"
    }

    fn identity(&self, user: &str) -> Result<String> {
        self.require_installed()?;
        Ok(self.identity_of(user))
    }

    fn issuer(&self) -> Result<String> {
        self.discovered_issuer()
    }

    fn sample(&self) -> Result<String> {
        self.sample_image()
    }

    fn rekor(&self) -> Version {
        Version::V1
    }

    fn reach_rekor(&self, version: Version) -> Result<Reached> {
        only_v1(version)?;
        self.require_installed()?;
        if self.settings()?.ingress.is_some() {
            let server = Server {
                url: self.host_urls()?.1,
                ca: Some(self.trust_file("ingress.pem")),
            };
            return Ok(Reached { server, held: None });
        }
        let (server, held) = self.reach(Forward::named("rekor")?)?;
        Ok(Reached {
            server,
            held: Some(Box::new(held)),
        })
    }

    fn reach_registry(&self, host: &str) -> Result<Reached> {
        if host != REGISTRY {
            let server = registry::elsewhere(host);
            return Ok(Reached { server, held: None });
        }
        self.require_installed()?;
        let (at, held) = self.reach(Forward::named("registry")?)?;
        let server = Server {
            url: at.url.replacen("http://", "https://", 1),
            ca: Some(self.trust_file("registry.pem")),
        };
        Ok(Reached {
            server,
            held: Some(Box::new(held)),
        })
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
        let text = state::read(&signature.bundle)?.unwrap_or_default();
        let log = bundle::read(&text)?.log_id();
        let root = self.trust_file("trusted_root.json");
        let root: Value = state::read_json(&root)?.unwrap_or_default();
        let mut known = root["tlogs"].as_array().into_iter().flatten();
        if known.any(|known| known["logId"]["keyId"].as_str() == log.as_deref()) {
            return Ok(None);
        }
        let bundle = quote(&signature.bundle.to_string_lossy());
        Ok(Some(
            not_so("the entry is in the log of an earlier installation, which is gone").hint(
                format!(
                    "what is left of it is the bundle: cargo xtask inspect-rekor --bundle {bundle}"
                ),
            ),
        ))
    }

    fn env(&self) -> Result<Vec<(&'static str, String)>> {
        self.require_installed()?;
        let file = |name: &str| self.trust_file(name).to_string_lossy().into_owned();
        let (fulcio, rekor) = self.host_urls()?;
        let registry = format!("127.0.0.1:{}", self.forward_port(FORWARDS[2])?);
        let mut env = vec![
            ("WORKSHOP_TRUSTED_ROOT", file("trusted_root.json")),
            ("WORKSHOP_SIGNING_CONFIG", file("signing_config.json")),
            ("WORKSHOP_TRUST_CONFIG", file("client_trust_config.json")),
            ("WORKSHOP_ISSUER", self.discovered_issuer()?),
            ("WORKSHOP_IDENTITY", self.identity_of(self.default_user())),
            ("WORKSHOP_FULCIO", fulcio),
            ("WORKSHOP_REKOR", rekor),
            ("WORKSHOP_REGISTRY", registry.clone()),
            ("WORKSHOP_REGISTRY_CA", file("registry.pem")),
            ("WORKSHOP_SAMPLE", self.sample_image()?),
            ("TUF_ROOT", self.tuf_root().to_string_lossy().into_owned()),
        ];
        if let Ok(cosign) = self.cosign_program() {
            env.insert(
                0,
                ("WORKSHOP_COSIGN", cosign.to_string_lossy().into_owned()),
            );
        }
        if self.settings()?.ingress.is_some() {
            env.push(("SSL_CERT_FILE", file("ingress.pem")));
        }
        Ok(env)
    }

    fn summary(&self) -> Result<Value> {
        let cluster = self.reopened()?;
        Ok(json!({
            "sample": cluster.sample_image()?,
            "issuer": cluster.discovered_issuer()?,
            "registry": REGISTRY,
            "rekor": "v1",
            "context": cluster.settings()?.context,
        }))
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

fn only_v1(rekor: Version) -> Result<()> {
    match rekor {
        Version::V1 => Ok(()),
        Version::V2 => Err(broken("the cluster runs Rekor v1, not v2")
            .hint("Rekor v2 runs on the local target: --on local")
            .into()),
    }
}
