//! `step single-writer`: a server ends before another pod of it begins, which could not
//! take the lock of its volume.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::cluster::Cluster;
use crate::cluster::copies::next_of;
use crate::cluster::single_writer::SingleWriter;
use crate::fail::broken;
use crate::plan::{StepArgs, StepEvent, Word};
use crate::target::RotatedKey;
use crate::words;

/// Have the pod of a server end before the next one begins, where there is one
#[derive(Debug, PartialEq, Args)]
pub(crate) struct OneWriter {
    /// The server.
    pub(crate) server: SingleWriter,
}

impl StepArgs for OneWriter {
    const NAME: &'static str = "single-writer";

    fn arguments(&self) -> Vec<Word> {
        let value = self.server.to_possible_value();
        value.map_or(Vec::new(), |value| words![value.get_name()])
    }
}

impl OneWriter {
    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let (kubectl, server) = (cluster.kubectl()?, self.server.server());
        // Its key and its directory change while it has no pod, and helm would make one.
        if next_of(&kubectl, server)?.is_some() {
            let what = format!("the key of {} turns, and it has not ended", server.name);
            let key = match self.server {
                SingleWriter::CtlogTiles => RotatedKey::Ctlog,
                _ => RotatedKey::Rekor,
            };
            let hint = format!("end it first: cargo xtask rotate {}", key.name());
            return Err(broken(what).hint(hint).into());
        }
        self.server.set(&kubectl)
    }
}
