//! `step launch`: a server is started, detached.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::local::manifest::ServerRow;
use crate::local::{Local, process, wait};
use crate::plan::{Ready, Step, StepArgs, StepEvent, Word};
use crate::words;

/// How long a server may take until it answers.
const READY: Duration = Duration::from_secs(30);

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
    /// It is done where the server runs as it would be started now, and answers.
    pub(crate) fn step(local: &Local, server: &ServerRow) -> Result<Step> {
        let line = local.server_words(server)?;
        let (dir, name, uses, argv) = (
            local.dir.clone(),
            server.name.clone(),
            local.used_files(server)?,
            line.clone(),
        );
        let launch = Launch {
            component: server.name.clone(),
            words: line,
        };
        let address = local.server_ready(server)?;
        let at = address.clone();
        Ok(Step::new(&server.name, format!("start {}", server.title))
            .needs(["configure".to_owned(), format!("stop-{}", server.name)])
            .needs(server.needs.clone())
            .done(move || {
                let same = |record: &process::ProcessRecord| {
                    record.fingerprint == process::fingerprint(&dir, &argv, &uses)
                };
                // One that runs and does not answer is not done.
                let record = process::running(&dir, &name)?.filter(same);
                let record = record.filter(|_| wait::answers(&at));
                Ok(record.map(|record| format!("it runs as process {}", record.pid)))
            })
            .xtask(launch)
            .ready(Ready::answers(&server.name, &address, READY)))
    }

    pub(crate) fn run(self, local: &Local, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        // An installation that was begun before there were claims makes its own here.
        local.claim().remember();
        let server = local.manifest.server(&self.component)?;
        let env: Vec<_> = server.environment.clone().into_iter().collect();
        let versions = local.build.versions().ok();
        process::launch(&process::LaunchRequest {
            dir: &local.dir,
            name: &self.component,
            words: &self.words,
            env: &env,
            uses: &local.used_files(server)?,
            ports: &local.server_ports(server)?,
            ready: &local.server_ready(server)?,
            version: versions.and_then(|mut all| all.remove(&server.module)),
        })
        .map(drop)
    }
}
