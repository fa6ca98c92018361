//! `step first-entry` of a cluster: Rekor v2 begins with an entry of the workshop's own.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::cluster::servers::REKOR_TILES;
use crate::entry::Version;
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::rekor;
use crate::rekor::first_entry::append_first;
use crate::target::Shard;
use crate::text::entries;

/// Have an empty Rekor v2 record an entry of the workshop's own
#[derive(Debug, PartialEq, Args)]
pub(crate) struct FirstClusterEntry {}

impl StepArgs for FirstClusterEntry {
    const NAME: &'static str = "first-entry";

    fn arguments(&self) -> Vec<Word> {
        Vec::new()
    }
}

impl FirstClusterEntry {
    /// It is done where the log holds an entry, whoever made it.
    pub(in crate::cluster) fn step(cluster: &Cluster) -> Step {
        let cluster = cluster.clone();
        let title = "have Rekor v2 record an entry of the workshop's own first";
        Step::new("first-entry", title)
            .done(move || {
                // A forward to a pod that is not up yet leads nowhere.
                let Ok(tiles) = cluster.reach_log(&REKOR_TILES, Shard::Newest) else {
                    return Ok(None);
                };
                let size = rekor::size(Version::V2, &tiles.server).unwrap_or_default();
                Ok((size > 0).then(|| format!("the log holds {}", entries(size))))
            })
            .xtask(FirstClusterEntry {})
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let (log, _held) = cluster.port_forwards()?.open_for(&REKOR_TILES)?;
        append_first(Version::V2, &log.url)
    }
}
