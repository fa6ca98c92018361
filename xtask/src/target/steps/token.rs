//! `step token`: an identity token for Fulcio, in a file.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::SigningTarget;
use crate::plan::{StepArgs, StepEvent, Word};
use crate::words;

/// Get an identity token, for Fulcio
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Token {
    /// The user.
    #[arg(long = "as", value_name = "USER")]
    pub(crate) user: String,
    /// The file it goes to, mode 0600.
    #[arg(long)]
    pub(crate) out: PathBuf,
}

impl StepArgs for Token {
    const NAME: &'static str = "token";

    fn arguments(&self) -> Vec<Word> {
        words!["--as", &self.user, "--out", self.out.as_path()]
    }
}

impl Token {
    pub(crate) fn run(self, target: &dyn SigningTarget, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        target.write_token(&self.user, &self.out)
    }
}
