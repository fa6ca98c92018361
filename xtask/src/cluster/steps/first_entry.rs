//! `step first-entry` of a cluster: a log of Rekor begins with an entry of the workshop's
//! own.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::cluster::kubectl::Kubectl;
use crate::cluster::servers::{REKOR, REKOR_TILES, TILES};
use crate::entry::Version;
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::rekor;
use crate::rekor::first_entry::append_first;
use crate::target::{Reached, Shard};
use crate::text::entries;
use crate::words;

/// Have an empty log record an entry of the workshop's own
#[derive(Debug, PartialEq, Args)]
pub(crate) struct FirstClusterEntry {
    /// The version of Rekor.
    #[arg(long, value_enum)]
    pub(crate) rekor: Version,
}

impl StepArgs for FirstClusterEntry {
    const NAME: &'static str = "first-entry";

    fn arguments(&self) -> Vec<Word> {
        words!["--rekor", self.rekor.name()]
    }
}

impl FirstClusterEntry {
    /// It is done where the log holds an entry, whoever made it.
    pub(in crate::cluster) fn step(cluster: &Cluster, rekor: Version) -> Step {
        let cluster = cluster.clone();
        let name = match rekor {
            Version::V1 => "first-entry-v1",
            Version::V2 => "first-entry",
        };
        let version = rekor.name();
        let title = format!("have Rekor {version} record an entry of the workshop's own first");
        Step::new(name, title)
            .done(move || {
                let size = size(&cluster, rekor)?;
                Ok(size.map(|size| format!("the log holds {}", entries(size))))
            })
            .xtask(FirstClusterEntry { rekor })
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        // Where the step is done again, the log has its first entry.
        if size(cluster, self.rekor)?.is_some() {
            return Ok(());
        }
        let server = match self.rekor {
            Version::V1 => &REKOR,
            Version::V2 => &REKOR_TILES,
        };
        let (log, _held) = cluster.port_forwards()?.open_for(server)?;
        append_first(self.rekor, &log.url)
    }
}

/// How many entries a log holds; `None` where it is empty, or does not answer yet.
fn size(cluster: &Cluster, rekor: Version) -> Result<Option<u64>> {
    let size = match rekor {
        Version::V1 => size_of_v1(&cluster.kubectl()?),
        Version::V2 => size_of_v2(cluster)?,
    };
    Ok(size.filter(|size| *size > 0))
}

/// How many entries Rekor v1 holds, as it tells the API server; `None` where it does not
/// answer yet.
fn size_of_v1(kubectl: &Kubectl) -> Option<u64> {
    let (namespace, service) = (REKOR.namespace, REKOR.service.as_ref()?);
    let place = format!(
        "services/{}:{}/proxy/api/v1/log",
        service.name, service.port
    );
    let raw = format!("--raw=/api/v1/namespaces/{namespace}/{place}");
    kubectl.get_json(words!["get", raw]).ok()?["treeSize"].as_u64()
}

/// How many entries Rekor v2 holds; `None` where it does not answer yet.
fn size_of_v2(cluster: &Cluster) -> Result<Option<u64>> {
    // A forward to a pod that is not up yet leads nowhere.
    let Ok((server, held)) = cluster.port_forwards()?.open_for(&TILES) else {
        return Ok(None);
    };
    let tiles = Reached {
        server,
        _held: Some(Box::new(held)),
    };
    let newest = cluster.at_log(&REKOR_TILES, Shard::Newest, tiles);
    let size = newest.and_then(|log| rekor::size(Version::V2, &log.server));
    Ok(size.ok())
}
