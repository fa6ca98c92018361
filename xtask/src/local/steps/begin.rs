//! `step begin`: the state directory of the target, and the keys in it.

use std::path::Path;

use anyhow::Result;
use clap::Args;

use crate::local::Local;
use crate::local::former;
use crate::local::keys::KeyFile;
use crate::local::manifest::KeyRecipe;
use crate::local::status::is_soon;
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::state::{self, State};

/// Make the state directory
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Begin {}

impl StepArgs for Begin {
    const NAME: &'static str = "begin";

    fn arguments(&self) -> Vec<Word> {
        Vec::new()
    }
}

impl Begin {
    /// While everything runs the keys are known to be good. Otherwise they are looked at
    /// again, and the TLS certificate renewed in time.
    pub(crate) fn step(local: &Local, offline_root: Option<&Path>) -> Result<Step> {
        let keys = local.keys_in_use()?;
        let command = local.make_keys_command(&keys, offline_root);
        let local = local.clone();
        Ok(Step::new(
            "keys",
            "make the keys that are missing: CA, timestamp authority, log, TLS, users",
        )
        .needs(["servers"])
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

    pub(crate) fn run(self, local: &Local, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        State::open(local.dir.parent().unwrap_or(&local.dir).to_owned())?.create()?;
        state::make_dir(&local.dir)?;
        former::carry_keys(&local.dir)?;
        local.check_keys()?;
        local.begin_logs()
    }
}
