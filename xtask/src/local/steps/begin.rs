//! `step begin`: the state directory of the target.

use anyhow::Result;
use clap::Args;

use crate::local::Local;
use crate::plan::{StepArgs, StepEvent, Word};
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
    pub(crate) fn run(self, local: &Local, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        State::open(local.dir.parent().unwrap_or(&local.dir).to_owned())?.create()?;
        state::make_dir(&local.dir)?;
        local.check_keys()
    }
}
