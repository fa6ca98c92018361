//! `step follow`: what a Job prints is shown until it ends.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::cluster::follow::follow;
use crate::plan::{StepArgs, StepEvent, Word};
use crate::words;

/// Show what a Job prints until it ends
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Follow {
    /// Its name.
    pub(crate) job: String,
    /// Where the bundle goes that it prints.
    #[arg(long)]
    pub(crate) bundle: Option<PathBuf>,
}

impl StepArgs for Follow {
    const NAME: &'static str = "follow";

    fn arguments(&self) -> Vec<Word> {
        let mut words = words![&self.job];
        if let Some(file) = &self.bundle {
            words.extend(words!["--bundle", file.as_path()]);
        }
        words
    }
}

impl Follow {
    pub(crate) fn run(self, cluster: &Cluster, report: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        follow(
            &cluster.kubectl()?,
            &self.job,
            self.bundle.as_deref(),
            report,
        )
    }
}
