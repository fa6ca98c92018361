//! `step database-secret`: the passwords of Trillian's database.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::cluster::conditions::all_hold;
use crate::cluster::database::{self, PASSWORDS};
use crate::cluster::kubectl::Kubectl;
use crate::cluster::servers::TRILLIAN_DATABASE;
use crate::plan::{Step, StepArgs, StepEvent, Word};

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
    /// The step that makes the passwords, which the chart would otherwise make up again
    /// at each upgrade.
    pub(in crate::cluster) fn step(kubectl: &Kubectl) -> Step {
        let kubectl = kubectl.clone();
        let title = "make the passwords of Trillian's database";
        Step::new("scaffold-database-secret", title)
            .done(move || {
                let there = all_hold(&kubectl, TRILLIAN_DATABASE.namespace, &PASSWORDS)?;
                Ok(there.then(|| "they are there".to_owned()))
            })
            .xtask(DatabaseSecret {})
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        database::make_passwords(&cluster.kubectl()?)
    }
}
