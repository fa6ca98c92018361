//! The plans of the local target: prefetch, install, start, stop, restart, uninstall.

use std::time::Duration;

use anyhow::Result;

use super::facts::Facts;
use super::keys::KeyFile;
use super::manifest::{KeyRecipe, ServerRow};
use super::settings::Settings;
use super::status::is_soon;
use super::steps::{Begin, Configure, Halt, Launch};
use super::{Local, process, wait};
use crate::fail::broken;
use crate::plan::{Plan, Ready, Step};
use crate::target::{InstallOptions, Renew};

/// How long a server may take until it answers.
const READY: Duration = Duration::from_secs(30);

impl Local {
    /// The target as it will be after `install` with these options.
    pub(crate) fn with_options(mut self, options: &InstallOptions, facts: &Facts) -> Result<Local> {
        if let Some(base) = options
            .port_base
            .filter(|base| *base != self.settings.port_base)
        {
            let mut servers = self.manifest.servers.iter();
            if let Some(server) = servers.find(|row| facts.running.contains(&row.name)) {
                return Err(broken(format!(
                    "the ports cannot change while {} runs",
                    server.name
                ))
                .hint("cargo xtask stop")
                .into());
            }
            self.settings.port_base = base;
        }
        if let Some(rekor) = options.rekor {
            self.settings.rekor = rekor;
        }
        match options.renew {
            _ if !self.installed => {}
            Some(Renew::Ca) => {
                let next = self.settings.fulcio.len() + 1;
                Settings::renew(&mut self.settings.fulcio, next);
            }
            Some(Renew::Timestamp) => {
                let next = self.settings.timestamp.len() + 1;
                Settings::renew(&mut self.settings.timestamp, next);
            }
            None => {}
        }
        Ok(self)
    }

    pub(super) fn require_startable(&self, facts: &Facts, names: &[String]) -> Result<()> {
        for name in names {
            self.chosen_server(name)?;
        }
        if !facts.built(self.settings.rekor) {
            // The pins were raised, or the cache was cleaned.
            return Err(broken("the servers of this version are not built")
                .hint("cargo xtask install")
                .into());
        }
        Ok(())
    }

    pub(super) fn push_stop(
        &self,
        plan: &mut Plan,
        names: &[String],
        also: impl Fn(&ServerRow) -> bool,
    ) {
        for server in self
            .manifest
            .servers
            .iter()
            .rev()
            .filter(|server| chosen(names, server) && also(server))
        {
            let (dir, name) = (self.dir.clone(), server.name.clone());
            plan.push(
                Step::new(format!("stop-{name}"), format!("stop {}", server.title))
                    .again()
                    .done(move || {
                        let started = process::was_started(&dir, &name);
                        Ok((!started).then(|| "it does not run".to_owned()))
                    })
                    .xtask(Halt {
                        component: server.name.clone(),
                    }),
            );
        }
    }

    /// Keys, configuration, servers and trust material.
    pub(super) fn push_start(
        &self,
        plan: &mut Plan,
        facts: &Facts,
        names: &[String],
    ) -> Result<()> {
        let rekor = self.settings.rekor;
        // What runs and was not chosen any more.
        let stops: Vec<String> = plan.steps.iter().map(|step| step.name.clone()).collect();
        self.push_stop(plan, &[], |server| {
            let planned = stops.contains(&format!("stop-{}", server.name));
            let chosen = server.runs_with(rekor);
            !planned && !chosen && facts.started.contains(&server.name)
        });
        plan.push(self.keys_step()?);
        plan.push(self.configure_step());
        for server in self
            .manifest
            .chosen(rekor)
            .filter(|server| chosen(names, server))
        {
            plan.push(self.launch_step(server)?);
        }
        // Before all keys are there, trust material would lack some of them.
        if names.is_empty() || facts.trusted {
            plan.push(self.trust_step());
            plan.push(self.publish_step()?);
        }
        Ok(())
    }

    pub(super) fn with_needs(&self, names: &[String]) -> Vec<String> {
        let mut all = names.to_vec();
        // Every server comes after those it needs, so one pass from the end
        // finds them all.
        for server in self.manifest.servers.iter().rev() {
            if all.contains(&server.name) {
                all.extend(server.needs.clone());
            }
        }
        all
    }

    fn keys_step(&self) -> Result<Step> {
        let keys = self.keys_in_use()?;
        let command = self.make_keys_command(&keys);
        let local = self.clone();
        Ok(Step::new(
            "keys",
            "make the keys that are missing: CA, timestamp authority, log, TLS, users",
        )
        .needs(["servers"])
        // While everything runs the keys are known to be good. Otherwise
        // they are looked at again, and the TLS certificate renewed in time.
        .done(move || {
            let there = |key: &KeyFile| local.dir.join(key.public()).exists();
            // Those with periods are renewed by whoever asks for it.
            let renewed = |key: &KeyFile| {
                let ends = local.certificate_end(key);
                key.kind == KeyRecipe::Tls && ends.is_some_and(is_soon)
            };
            let good = keys.iter().all(|key| there(key) && !renewed(key)) && local.all_run()?;
            Ok(good.then(|| "the servers use them".to_owned()))
        })
        .xtask(Begin {})
        .run(command))
    }

    fn configure_step(&self) -> Step {
        let local = self.clone();
        let settings = &self.settings;
        Step::new("configure", "write the servers' configuration")
            .needs(["keys"])
            .done(move || {
                Ok(local
                    .configured()?
                    .then(|| "it is as it should be".to_owned()))
            })
            .xtask(Configure::from(settings))
    }

    fn launch_step(&self, server: &ServerRow) -> Result<Step> {
        let line = self.server_words(server)?;
        let (dir, name, uses, argv) = (
            self.dir.clone(),
            server.name.clone(),
            server.used_files(),
            line.clone(),
        );
        let launch = Launch {
            component: server.name.clone(),
            words: line,
        };
        let address = self.server_ready(server)?;
        let at = address.clone();
        Ok(Step::new(&server.name, format!("start {}", server.title))
            .needs(["configure".to_owned(), format!("stop-{}", server.name)])
            .needs(server.needs.clone())
            .done(move || {
                let same = |record: &process::ProcessRecord| {
                    record.fingerprint == process::fingerprint(&dir, &argv, &uses)
                };
                // One that runs and does not answer is not done.
                let record = process::running(&dir, &name)?.filter(same);
                let record = record.filter(|_| wait::answers(&at));
                Ok(record.map(|record| format!("it runs as process {}", record.pid)))
            })
            .xtask(launch)
            .ready(Ready::answers(&server.name, &address, READY)))
    }

    /// Whether every server that should run does.
    pub(crate) fn all_run(&self) -> Result<bool> {
        for server in self.manifest.chosen(self.settings.rekor) {
            if process::running(&self.dir, &server.name)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn chosen(names: &[String], server: &ServerRow) -> bool {
    names.is_empty() || names.contains(&server.name)
}
