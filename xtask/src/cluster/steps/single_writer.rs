//! `step single-writer`: a server ends before another pod of it begins, which could not
//! take the lock of its volume.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::cluster::Cluster;
use crate::cluster::single_writer::SingleWriter;
use crate::plan::{StepArgs, StepEvent, Word};
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
        self.server.set(&cluster.kubectl()?)
    }
}
