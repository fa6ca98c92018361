//! `step first-entry`: a log of Rekor begins with an entry of the workshop's own.

use anyhow::Result;
use clap::Args;

use crate::entry::Version;
use crate::http::Server;
use crate::local::Local;
use crate::local::manifest::{ServerRow, TrustRole};
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::rekor;
use crate::rekor::first_entry::append_first;
use crate::text::entries;
use crate::words;

/// Have an empty log record an entry of the workshop's own
#[derive(Debug, PartialEq, Args)]
pub(crate) struct FirstEntry {
    /// The version of Rekor.
    #[arg(long, value_enum)]
    pub(crate) rekor: Version,
}

impl StepArgs for FirstEntry {
    const NAME: &'static str = "first-entry";

    fn arguments(&self) -> Vec<Word> {
        words!["--rekor", self.rekor.name()]
    }
}

impl FirstEntry {
    /// It is done where the log holds an entry, whoever made it.
    pub(crate) fn step(local: &Local, rekor: Version) -> Result<Step> {
        let servers = local.manifest.chosen(local.settings.rekor);
        let of_log = |row: &&ServerRow| {
            let is_log = row.trusts_as == Some(TrustRole::TransparencyLog);
            row.rekor == Some(rekor) && (is_log || row.log.is_some())
        };
        let needs: Vec<String> = servers.filter(of_log).map(|row| row.name.clone()).collect();
        let log = Server::at(local.rekor_address(rekor)?);
        let name = rekor.name();
        let title = format!("have Rekor {name} record an entry of the workshop's own first");
        Ok(Step::new(format!("first-entry-{name}"), title)
            .needs(needs)
            .done(move || {
                let size = rekor::size(rekor, &log).unwrap_or_default();
                Ok((size > 0).then(|| format!("the log holds {}", entries(size))))
            })
            .xtask(FirstEntry { rekor }))
    }

    pub(crate) fn run(self, local: &Local, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let log = local
            .manifest
            .trusted_as(TrustRole::TransparencyLog, self.rekor)?;
        append_first(self.rekor, &local.url(log)?)
    }
}
