//! Servers that hold the lock of a volume: their Deployments end a pod before they begin
//! the next one, which would otherwise wait for the lock of a pod that waits for it. Their
//! charts have no value for that, and helm leaves alone what no chart says.

use anyhow::Result;
use clap::ValueEnum;
use serde_json::json;

use super::kubectl::Kubectl;
use super::object::Object;
use super::servers::{CTLOG_TILES, ClusterServer, REKOR_TILES, TRILLIAN_DATABASE};

/// The strategy of a Deployment that ends its pods before it begins others.
const RECREATE: &str = "Recreate";

/// A server that writes to a volume alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SingleWriter {
    /// The CT log on tiles
    CtlogTiles,
    /// Rekor v2
    RekorTiles,
    /// Trillian's database
    TrillianMysql,
}

impl SingleWriter {
    /// Its server.
    pub(crate) fn server(self) -> &'static ClusterServer {
        match self {
            SingleWriter::CtlogTiles => &CTLOG_TILES,
            SingleWriter::RekorTiles => &REKOR_TILES,
            SingleWriter::TrillianMysql => &TRILLIAN_DATABASE,
        }
    }

    /// Whether its pods end before others begin.
    pub(crate) fn is_set(self, kubectl: &Kubectl) -> Result<bool> {
        let found = self.deployment(kubectl)?;
        Ok(found.is_some_and(|found| found.spec.strategy.kind == RECREATE))
    }

    /// Has its pods end before others begin, where there is a Deployment.
    pub(crate) fn set(self, kubectl: &Kubectl) -> Result<()> {
        let server = self.server();
        let Some(found) = self.deployment(kubectl)? else {
            return Ok(());
        };
        if found.spec.strategy.kind == RECREATE {
            return Ok(());
        }
        // How many pods more or less there may be meanwhile is for the other strategy.
        let strategy = json!({"type": RECREATE, "rollingUpdate": null});
        let change = json!({"spec": {"strategy": strategy}});
        kubectl.patch(server.namespace, &name(server), &change)
    }

    fn deployment(self, kubectl: &Kubectl) -> Result<Option<Object>> {
        let server = self.server();
        kubectl.get(server.namespace, &name(server))
    }
}

fn name(server: &ClusterServer) -> String {
    format!("deployment/{}", server.deployment)
}
