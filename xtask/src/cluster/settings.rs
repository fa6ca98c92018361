//! What was chosen at `install`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::entry::Versions;
use crate::fail::Fail;
use crate::local::ports;

/// The lowest of the ports on which the cluster's servers are reached, where nobody has
/// them.
pub(crate) const PORT_BASE: u16 = ports::PORT_BASE + ports::OF_CLUSTER;

/// `settings.json` of a cluster target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClusterSettings {
    /// The context of kubectl that names the cluster.
    pub context: String,
    /// Where the charts come from, where not from their own repositories: a helm
    /// repository, an `oci://` reference or a directory.
    pub charts: Option<String>,
    /// A file that overlays `deploy/versions.yml`.
    pub versions: Option<PathBuf>,
    /// A file that overlays the helm values; its top-level keys are charts.
    pub values: Option<PathBuf>,
    /// The domain below which an ingress shows the servers.
    pub ingress: Option<String>,
    /// The lowest port of the forwards.
    pub port_base: u16,
    /// The issuer of the cluster's tokens, where it is another than the chart
    /// expects.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Whether Fulcio asks for the issuer's keys without a token.
    #[serde(default)]
    pub anonymous: bool,
    /// The versions of Rekor that run.
    #[serde(default = "v1")]
    pub rekor: Versions,
}

/// What runs where nothing was chosen: what the chapters install step by step, and what
/// was there before there was a choice.
fn v1() -> Versions {
    Versions::V1
}

impl ClusterSettings {
    /// The settings of a new installation on a cluster.
    pub(crate) fn new(context: &str) -> ClusterSettings {
        ClusterSettings {
            context: context.to_owned(),
            charts: None,
            versions: None,
            values: None,
            ingress: None,
            port_base: PORT_BASE,
            issuer: None,
            anonymous: false,
            rekor: v1(),
        }
    }

    /// The same, on ports that are free, or those that this directory of a target had.
    pub(crate) fn on_free_ports(context: &str, dir: &Path) -> Result<ClusterSettings, Fail> {
        Ok(ClusterSettings {
            port_base: ports::base(dir, ports::OF_CLUSTER)?,
            ..ClusterSettings::new(context)
        })
    }
}
