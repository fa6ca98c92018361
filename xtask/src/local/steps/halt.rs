//! `step halt`: a server is stopped.

use anyhow::Result;
use clap::Args;

use crate::local::{Local, process};
use crate::plan::{StepArgs, StepEvent, Word};
use crate::words;

/// Stop a server
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Halt {
    /// Its name.
    pub(crate) component: String,
}

impl StepArgs for Halt {
    const NAME: &'static str = "halt";

    fn arguments(&self) -> Vec<Word> {
        words![&self.component]
    }
}

impl Halt {
    pub(crate) fn run(self, local: &Local, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let server = local.manifest.server(&self.component)?;
        process::halt(&local.dir, &server.name, &local.server_ports(server)?)
    }
}
