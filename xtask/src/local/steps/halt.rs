//! `step halt`: a server is stopped.

use anyhow::Result;
use clap::Args;

use crate::local::manifest::ServerRow;
use crate::local::{Local, process};
use crate::plan::{Step, StepArgs, StepEvent, Word};
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
    /// It is done where the server was not started, or was stopped since.
    pub(crate) fn step(local: &Local, server: &ServerRow) -> Step {
        let (dir, name) = (local.dir.clone(), server.name.clone());
        Step::new(format!("stop-{name}"), format!("stop {}", server.title))
            .again()
            .done(move || {
                let started = process::was_started(&dir, &name);
                Ok((!started).then(|| "it does not run".to_owned()))
            })
            .xtask(Halt {
                component: server.name.clone(),
            })
    }

    pub(crate) fn run(self, local: &Local, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let server = local.manifest.server(&self.component)?;
        process::halt(&local.dir, &server.name, &local.server_ports(server)?)
    }
}
