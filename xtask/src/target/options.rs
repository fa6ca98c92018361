//! What is asked of an installation. The command line reads these as they stand here,
//! so that a doc comment is what `--help` says of an option.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::entry::Versions;

/// What `install` was asked for.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct InstallOptions {
    /// Which versions of Rekor run [default: v2, on a cluster v1, or what was installed]
    #[arg(long, value_enum)]
    pub rekor: Option<Versions>,
    /// The ports.
    #[command(flatten)]
    pub ports: PortOptions,
    /// What a cluster is given.
    #[command(flatten)]
    pub cluster: ClusterOptions,
}

/// On which ports servers listen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Args)]
pub(crate) struct PortOptions {
    /// The lowest of the ports [env: WORKSHOP_PORT_BASE] [default: what was installed, or a
    /// free block from 17800 on]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1024..=65500))]
    pub port_base: Option<u16>,
}

impl From<u16> for PortOptions {
    fn from(base: u16) -> PortOptions {
        PortOptions {
            port_base: Some(base),
        }
    }
}

/// What an install on a cluster, or a part of it, is given; remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "On minikube or a cluster")]
pub struct ClusterOptions {
    /// Where the charts are: a helm repository, oci://… or a directory [none: the
    /// repository of each chart again]
    #[arg(long, value_name = "PLACE")]
    pub charts: Option<String>,
    /// A file that overlays deploy/versions.yml [none: no overlay any more]
    #[arg(long, value_name = "FILE")]
    pub versions: Option<PathBuf>,
    /// A file that overlays the helm values; its top-level keys are charts [none: no
    /// overlay any more]
    #[arg(long, value_name = "FILE")]
    pub values: Option<PathBuf>,
    /// Show the servers below a domain, with TLS [on minikube: its address and
    /// nip.io; none: no ingress any more]
    #[arg(long, value_name = "DOMAIN", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub ingress: Option<String>,
}

/// What `preflight` looks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(crate) struct PreflightOptions {
    /// The versions of Rekor that are to run [default: the installed ones, or v2]
    #[arg(long, value_enum)]
    pub rekor: Option<Versions>,
    /// The ports.
    #[command(flatten)]
    pub ports: PortOptions,
}

/// What `rotate` was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct RotateOptions {
    /// Which key
    #[arg(value_enum)]
    pub key: RotatedKey,
    /// Put Fulcio's CA below a root whose key is in this directory; made where there is none
    #[arg(long, value_name = "DIR")]
    pub offline_root: Option<PathBuf>,
}

/// A key that can be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RotatedKey {
    /// Fulcio's CA
    Fulcio,
    /// The timestamp authority's key and certificate
    Timestamp,
    /// The CT log's key, and with it the log
    Ctlog,
    /// Rekor's key, and with it the log: of either version that runs
    Rekor,
    /// The registry's key and certificate
    Registry,
    /// What the users sign in with
    Users,
    /// The key of the TUF roles but the root
    Tuf,
}

impl RotatedKey {
    /// The name of the key, as it is typed.
    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}
