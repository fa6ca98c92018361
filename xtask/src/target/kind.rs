//! The kinds of targets, as they are typed.

use clap::ValueEnum;

/// A kind of target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TargetKind {
    /// The real servers as processes of this machine, on loopback
    Local,
    /// A minikube cluster
    Minikube,
    /// The cluster that kubectl's context names
    Cluster,
}

impl TargetKind {
    /// The name of the kind, as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            TargetKind::Local => "local",
            TargetKind::Minikube => "minikube",
            TargetKind::Cluster => "cluster",
        }
    }
}
