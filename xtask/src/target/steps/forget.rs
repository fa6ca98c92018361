//! `step forget`: a file of one command is deleted.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::plan::{StepArgs, StepEvent, Word};
use crate::target::Target;
use crate::{state, words};

/// Delete a file
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Forget {
    /// Which one.
    pub(crate) file: PathBuf,
}

impl StepArgs for Forget {
    const NAME: &'static str = "forget";

    fn arguments(&self) -> Vec<Word> {
        words![self.file.as_path()]
    }
}

impl Forget {
    pub(crate) fn run(self, _: &dyn Target, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        state::forget(&self.file)
    }
}
