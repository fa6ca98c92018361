//! `step unsign`: the signatures of an image go out of its registry.

use anyhow::Result;
use clap::Args;

use crate::plan::{StepArgs, StepEvent, Word};
use crate::registry::{self, Reference};
use crate::target::Target;
use crate::words;

/// Take the signatures of an image out of its registry
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Unsign {
    /// Which image.
    pub(crate) image: String,
    /// Leave those that only say that it was signed.
    #[arg(long)]
    pub(crate) attestations: bool,
}

impl StepArgs for Unsign {
    const NAME: &'static str = "unsign";

    fn arguments(&self) -> Vec<Word> {
        let mut words = words![&self.image];
        if self.attestations {
            words.push("--attestations".into());
        }
        words
    }
}

impl Unsign {
    pub(crate) fn run(self, target: &dyn Target, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let reference = Reference::read(&self.image)?;
        let reached = target.reach_registry(&reference.host)?;
        registry::forget(&reached.server, &reference, self.attestations)?;
        Ok(())
    }
}
