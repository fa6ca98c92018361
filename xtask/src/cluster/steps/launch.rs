//! `step launch` of a cluster: a port-forward is started, detached.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::cluster::forwards::{self, Forwards, PortForward, leads};
use crate::local::process;
use crate::plan::{Ready, Step, StepArgs, StepEvent, Word};
use crate::words;

/// Start a forward into the cluster, detached
#[derive(Debug, PartialEq, Args)]
pub(crate) struct LaunchForward {
    /// Its name.
    pub(crate) component: String,
    /// Its command line.
    #[arg(last = true, required = true)]
    pub(crate) words: Vec<String>,
}

impl StepArgs for LaunchForward {
    const NAME: &'static str = "launch";

    fn arguments(&self) -> Vec<Word> {
        let mut words = words![&self.component, "--"];
        words.extend(self.words.iter().map(Word::from));
        words
    }
}

impl LaunchForward {
    /// The step that opens a forward; it is done where the same one is open and
    /// leads to a server.
    pub(in crate::cluster) fn step(forwards: &Forwards, forward: &PortForward) -> Result<Step> {
        let (name, process, url) = (forward.server.name, forward.process(), forward.url());
        let words = forwards.command_line(forward)?;
        let launch = LaunchForward {
            component: process.clone(),
            words: words.clone(),
        };
        let ready = Ready::answers(&process, &url, forwards::WITHIN);
        let title = format!("forward {} to {name} in the cluster", forward.address());
        let (dir, port) = (forwards.dir.clone(), forward.port);
        Ok(Step::new(format!("forward-{name}"), title)
            .done(move || {
                let is_same = |record: &process::ProcessRecord| {
                    record.fingerprint == process::fingerprint(&dir, &words, &[])
                };
                let record = process::running(&dir, &process)?.filter(is_same);
                let record = record.filter(|_| leads(port));
                Ok(record.map(|record| format!("it runs as process {}", record.pid)))
            })
            .xtask(launch)
            .ready(ready))
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        forwards::launch(&cluster.dir, &self.component, &self.words)
    }
}
