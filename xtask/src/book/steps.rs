//! The step of the book that this program does itself.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use crate::plan::{StepArgs, StepEvent, Word};
use crate::{steps, words};

steps! {
    /// The steps of the book.
    BookStep of Path {
        Pages(Pages),
    }
}

/// Gather the pages of the book and the files that they name
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Pages {
    /// The directory they go to.
    #[arg(long)]
    pub(crate) output: PathBuf,
}

impl StepArgs for Pages {
    const NAME: &'static str = "pages";

    fn arguments(&self) -> Vec<Word> {
        words!["--output", self.output.as_path()]
    }
}

impl Pages {
    fn run(self, repo: &Path, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        super::gather(repo, &self.output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::step_args::each_is_read_from_its_words;

    #[test]
    fn each_step_is_what_is_read_from_its_words() {
        let output = "/a b/book".into();
        each_is_read_from_its_words(&[BookStep::Pages(Pages { output })], BookStep::words);
    }
}
