//! `step launch`: a server is started, detached.

use anyhow::Result;
use clap::Args;

use crate::local::{Local, process};
use crate::plan::{StepArgs, StepEvent, Word};
use crate::words;

/// Start a server, detached
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Launch {
    /// Its name.
    pub(crate) component: String,
    /// Its command line.
    #[arg(last = true, required = true)]
    pub(crate) words: Vec<String>,
}

impl StepArgs for Launch {
    const NAME: &'static str = "launch";

    fn arguments(&self) -> Vec<Word> {
        let mut words = words![&self.component, "--"];
        words.extend(self.words.iter().map(Word::from));
        words
    }
}

impl Launch {
    pub(crate) fn run(self, local: &Local, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let server = local.manifest.server(&self.component)?;
        let env: Vec<_> = server.environment.clone().into_iter().collect();
        let versions = local.build.versions().ok();
        process::launch(&process::LaunchRequest {
            dir: &local.dir,
            name: &self.component,
            words: &self.words,
            env: &env,
            uses: &server.used_files(),
            ports: &local.server_ports(server)?,
            ready: &local.server_ready(server)?,
            version: versions.and_then(|mut all| all.remove(&server.module)),
        })
        .map(drop)
    }
}
