//! The step of a reset that this program does itself, beside those of the target.

use anyhow::Result;
use clap::Args;

use super::progress;
use crate::plan::{Ready, StepArgs, StepEvent, StepRunner, StepValue, Word, step_args};
use crate::state::State;
use crate::target::TargetKind;
use crate::{steps, words};

steps! {
    /// The steps of the walkthrough.
    WalkthroughStep of ResetRunner<'_> {
        ForgetChapter(ForgetChapter),
    }
}

/// Forget that a chapter and those after it were done
#[derive(Debug, PartialEq, Args)]
pub(crate) struct ForgetChapter {
    /// Its name.
    pub(crate) chapter: String,
}

impl StepArgs for ForgetChapter {
    const NAME: &'static str = "forget-chapter";

    fn arguments(&self) -> Vec<Word> {
        words![&self.chapter]
    }
}

impl ForgetChapter {
    fn run(self, runner: &ResetRunner<'_>, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        progress::forget_from(runner.state, runner.kind, &self.chapter)
    }
}

/// Runs the steps of a reset: its own, and those of the target.
pub(crate) struct ResetRunner<'a> {
    /// What runs the steps of the target.
    pub(crate) target: &'a dyn StepRunner,
    /// The state that remembers what was done.
    pub(crate) state: &'a State,
    /// On which target.
    pub(crate) kind: TargetKind,
}

impl StepRunner for ResetRunner<'_> {
    fn xtask(&self, words: &[String], report: &dyn Fn(StepEvent<'_>)) -> Result<StepValue> {
        if step_args::is_of::<WalkthroughStep>(words) {
            return step_args::parse::<WalkthroughStep>(words)?.run(self, report);
        }
        self.target.xtask(words, report)
    }

    fn wait(&self, ready: &Ready, report: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        self.target.wait(ready, report)
    }

    fn heeds_interrupts(&self) -> bool {
        self.target.heeds_interrupts()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::step_args::each_is_read_from_its_words;

    #[test]
    fn each_step_is_what_is_read_from_its_words() {
        let forget = ForgetChapter {
            chapter: "sign".into(),
        };
        each_is_read_from_its_words(
            &[WalkthroughStep::ForgetChapter(forget)],
            WalkthroughStep::words,
        );
    }
}
