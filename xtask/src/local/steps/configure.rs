//! `step configure`: the settings and the servers' configuration.

use anyhow::Result;
use clap::Args;

use crate::entry::Versions;
use crate::local::Local;
use crate::local::former;
use crate::local::settings::Settings;
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::words;

/// Write settings and configuration
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Configure {
    /// The lowest port.
    #[arg(long)]
    pub(crate) port_base: u16,
    /// Which versions of Rekor run.
    #[arg(long, value_enum)]
    pub(crate) rekor: Versions,
    /// The number of the CA in use.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) fulcio: u16,
    /// The number of the timestamp authority's key in use.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) timestamp: u16,
    /// The number of the CT log's key in use.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) ctlog: u16,
    /// The number of Rekor v1's key in use.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) rekor_v1: u16,
    /// The number of the key of the TUF roles in use.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) tuf: u16,
}

impl From<&Settings> for Configure {
    fn from(settings: &Settings) -> Configure {
        // No more keys than a `u16` counts are ever made.
        let number = |keys: usize| u16::try_from(keys).unwrap_or(u16::MAX);
        Configure {
            port_base: settings.port_base,
            rekor: settings.rekor,
            fulcio: number(settings.fulcio.len()),
            timestamp: number(settings.timestamp.len()),
            ctlog: number(settings.ctlog.len()),
            rekor_v1: number(settings.rekor_v1.len()),
            tuf: number(settings.tuf.len()),
        }
    }
}

impl StepArgs for Configure {
    const NAME: &'static str = "configure";

    fn arguments(&self) -> Vec<Word> {
        words![
            "--port-base",
            self.port_base.to_string(),
            "--rekor",
            self.rekor.name(),
            "--fulcio",
            self.fulcio.to_string(),
            "--timestamp",
            self.timestamp.to_string(),
            "--ctlog",
            self.ctlog.to_string(),
            "--rekor-v1",
            self.rekor_v1.to_string(),
            "--tuf",
            self.tuf.to_string()
        ]
    }
}

impl Configure {
    /// It is done where the files hold what they would be given.
    pub(crate) fn step(local: &Local) -> Step {
        let configure = Configure::from(&local.settings);
        let local = local.clone();
        Step::new("configure", "write the servers' configuration")
            .needs(["keys"])
            .done(move || {
                let current = local.configured()?;
                Ok(current.then(|| "it is as it should be".to_owned()))
            })
            .xtask(configure)
    }

    pub(crate) fn run(self, local: &Local, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let mut local = local.clone();
        if !local.installed {
            local.settings = Settings::new(self.port_base, self.rekor);
        }
        local.settings.port_base = self.port_base;
        local.settings.rekor = self.rekor;
        Settings::renew(&mut local.settings.fulcio, self.fulcio.into());
        Settings::renew(&mut local.settings.timestamp, self.timestamp.into());
        Settings::renew(&mut local.settings.ctlog, self.ctlog.into());
        Settings::renew(&mut local.settings.rekor_v1, self.rekor_v1.into());
        Settings::renew(&mut local.settings.tuf, self.tuf.into());
        local.configure()?;
        former::forget(&local.dir)
    }
}
