//! `step shard`: a log begins a new shard.

use anyhow::Result;
use clap::Args;

use crate::local::{Local, shards};
use crate::plan::{StepArgs, StepEvent, Word};
use crate::words;

/// Begin a new shard of a log
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Shard {
    /// `ctlog` or `rekor-v1`.
    pub(crate) log: String,
    /// The tree that Trillian made for it.
    #[arg(long)]
    pub(crate) tree: Word,
}

impl StepArgs for Shard {
    const NAME: &'static str = "shard";

    fn arguments(&self) -> Vec<Word> {
        let mut words = words![&self.log, "--tree"];
        words.push(self.tree.clone());
        words
    }
}

impl Shard {
    pub(crate) fn run(self, local: &Local, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        shards::open(local, &self.log, &self.tree.text()?)
    }
}
