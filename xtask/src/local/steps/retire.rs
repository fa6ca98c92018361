//! `step retire`: keys that have a successor count no longer for what is signed from now on.

use anyhow::Result;
use clap::Args;

use crate::local::Local;
use crate::local::settings::Settings;
use crate::plan::{Step, StepArgs, StepEvent, Word};

/// End the periods of keys that were replaced
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Retire {}

impl StepArgs for Retire {
    const NAME: &'static str = "retire";

    fn arguments(&self) -> Vec<Word> {
        Vec::new()
    }
}

impl Retire {
    /// It is done where no key that has a successor is in use. Servers that still sign
    /// with such a key are replaced before.
    pub(crate) fn step(local: &Local, servers: Vec<String>) -> Step {
        let dir = local.dir.clone();
        Step::new("retire", "end the periods of the keys that were replaced")
            .needs(["configure"])
            .needs(servers)
            .done(move || {
                let settings = Settings::read(&dir)?;
                let ended = settings.is_some_and(|settings| !settings.turns());
                Ok(ended.then(|| "they have ended".to_owned()))
            })
            .xtask(Retire {})
    }

    pub(crate) fn run(self, local: &Local, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let mut settings = local.reopened()?.settings;
        settings.retire();
        settings.write(&local.dir)?;
        let local = local.reopened()?;
        local.collect_certificates()?;
        local.forget_former_users()
    }
}
