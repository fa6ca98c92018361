//! `step unsign`: the signatures of an image go out of its registry.

use std::path::Path;

use anyhow::Result;
use clap::Args;

use crate::plan::{Command, Plan, Step, StepArgs, StepEvent, Word};
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

/// Adds to a plan that what was signed about the sample leaves its registry, or only
/// what attests it; nothing where nothing is installed.
pub(crate) fn push_unsign(plan: &mut Plan, target: &dyn Target, attestations: bool) -> Result<()> {
    if target.installed() {
        push_unsign_of(plan, target.sample()?, &target.dir(), attestations);
    }
    Ok(())
}

/// Adds them for an image; this directory holds the signatures.
pub(crate) fn push_unsign_of(plan: &mut Plan, sample: String, dir: &Path, attestations: bool) {
    let what = if attestations {
        "attestations"
    } else {
        "signatures"
    };
    let title = format!("take the {what} of {sample} out of the registry");
    let unsign = Unsign {
        image: sample,
        attestations,
    };
    plan.push(Step::new("unsign", title).xtask(unsign));
    if !attestations {
        let [list, bundles] = ["signatures.json", "signatures"].map(|name| dir.join(name));
        plan.push(
            Step::new("signatures", "forget the signatures that were made here")
                .needs(["unsign"])
                .run(Command::new(words!["rm", "-rf", list, bundles])),
        );
    }
}
