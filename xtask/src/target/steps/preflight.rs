//! `preflight` as the first step of an install.

use anyhow::Result;
use clap::Args;

use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::target::{PreflightOptions, Target};
use crate::{preflight, words};

/// Check that the machine has what the target needs
#[derive(Debug, Default, PartialEq, Args)]
pub(crate) struct Preflight {
    /// For which installation.
    #[command(flatten)]
    pub(crate) options: PreflightOptions,
}

impl StepArgs for Preflight {
    const NAME: &'static str = "preflight";

    fn arguments(&self) -> Vec<Word> {
        let PreflightOptions { rekor, ports } = &self.options;
        let mut words = Vec::new();
        if let Some(rekor) = rekor {
            words.extend(words!["--rekor", rekor.name()]);
        }
        if let Some(port) = ports.port_base {
            words.extend(words!["--port-base", port.to_string()]);
        }
        words
    }

    /// It is a command of its own, and printed as that.
    fn words(&self) -> Vec<Word> {
        [words![Self::NAME], self.arguments()].concat()
    }
}

impl Preflight {
    /// The step that checks it; the probe of the target tells where that is not needed.
    pub(crate) fn step(
        self,
        title: &str,
        probe: impl Fn() -> Result<Option<String>> + Send + Sync + 'static,
    ) -> Step {
        Step::new("preflight", title).done(probe).xtask(self)
    }

    pub(crate) fn run(self, target: &dyn Target, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        Ok(preflight::verdict(&target.preflight(&self.options)?)?)
    }
}
