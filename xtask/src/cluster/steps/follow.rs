//! `step follow`: what a Job prints is shown until it ends.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::cluster::follow::{follow, not_attested, require_signature};
use crate::fail::Fail;
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
    /// It verifies: fail where what it verified are attestations and no signature.
    #[arg(long)]
    pub(crate) signed: bool,
    /// The image that it verifies.
    #[arg(long)]
    pub(crate) image: Option<String>,
    /// Who is expected to have signed it, or attested something of it.
    #[arg(long)]
    pub(crate) signer: Option<String>,
}

impl StepArgs for Follow {
    const NAME: &'static str = "follow";

    fn arguments(&self) -> Vec<Word> {
        let mut words = words![&self.job];
        if let Some(file) = &self.bundle {
            words.extend(words!["--bundle", file.as_path()]);
        }
        if self.signed {
            words.push("--signed".into());
        }
        for (option, value) in [("--image", &self.image), ("--signer", &self.signer)] {
            words.extend(value.iter().flat_map(|value| words![option, value]));
        }
        words
    }
}

impl Follow {
    pub(crate) fn run(self, cluster: &Cluster, report: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let bundle = self.bundle.as_deref();
        let lines = follow(&cluster.kubectl()?, &self.job, bundle, report);
        let lines = lines.map_err(|error| {
            let (image, signer) = (self.image.as_deref(), self.signer.as_deref());
            not_attested(Fail::from_error(&error), image, signer)
        })?;
        match self.signed {
            true => require_signature(&lines),
            false => Ok(()),
        }
    }
}
