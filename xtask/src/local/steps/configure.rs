//! `step configure`: the settings and the servers' configuration.

use std::str::FromStr;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::entry::Versions;
use crate::local::Local;
use crate::local::former;
use crate::local::settings::{CountedKey, Settings};
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
    /// The numbers of the keys in use.
    #[arg(required = true)]
    pub(crate) keys: Vec<KeyNumber>,
}

/// How many keys of a kind there are: `fulcio:2`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct KeyNumber {
    pub(crate) key: CountedKey,
    pub(crate) number: u16,
}

impl FromStr for KeyNumber {
    type Err = String;

    fn from_str(text: &str) -> Result<KeyNumber, String> {
        let (key, number) = text.split_once(':').ok_or("write it as KEY:N")?;
        Ok(KeyNumber {
            key: CountedKey::from_str(key, false)?,
            number: number.parse().map_err(|_| "N counts from 1 on")?,
        })
    }
}

impl From<&Settings> for Configure {
    fn from(settings: &Settings) -> Configure {
        let all = CountedKey::value_variants().iter();
        Configure {
            port_base: settings.port_base,
            rekor: settings.rekor,
            // No more keys than a `u16` counts are ever made.
            keys: all
                .map(|key| KeyNumber {
                    key: *key,
                    number: u16::try_from(settings.newest(*key)).unwrap_or(u16::MAX),
                })
                .collect(),
        }
    }
}

impl StepArgs for Configure {
    const NAME: &'static str = "configure";

    fn arguments(&self) -> Vec<Word> {
        let mut words = words![
            "--port-base",
            self.port_base.to_string(),
            "--rekor",
            self.rekor.name()
        ];
        let numbers = self.keys.iter();
        let text = |of: &KeyNumber| format!("{}:{}", of.key.name(), of.number).into();
        words.extend(numbers.map(text));
        words
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
        for KeyNumber { key, number } in self.keys {
            local.settings.renew(key, number.into());
        }
        local.configure()?;
        former::forget(&local.dir)
    }
}
