//! `step database-secret`: the passwords of Trillian's database.

use anyhow::Result;
use clap::Args;

use crate::cluster::{Cluster, database};
use crate::plan::{StepArgs, StepEvent, Word};

/// Make the passwords of Trillian's database, where there are none
#[derive(Debug, PartialEq, Args)]
pub(crate) struct DatabaseSecret {}

impl StepArgs for DatabaseSecret {
    const NAME: &'static str = "database-secret";

    fn arguments(&self) -> Vec<Word> {
        Vec::new()
    }
}

impl DatabaseSecret {
    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        database::make_passwords(&cluster.kubectl()?)
    }
}
