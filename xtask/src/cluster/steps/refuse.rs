//! `step refuse`: a plan ends here where what follows would do harm.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::cluster::{Cluster, cert_manager, namespaces, scaffold_release};
use crate::plan::{StepArgs, StepEvent, Word};
use crate::words;

/// Fail where what follows would do harm
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Refuse {
    /// Why.
    pub(crate) what: Refusal,
}

/// Why a step of a plan refuses to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Refusal {
    /// A namespace of the workshop belongs to another Sigstore.
    ForeignNamespaces,
    /// The release of Sigstore is not the workshop's.
    ForeignRelease,
    /// The cert-manager is not the workshop's.
    ForeignCertManager,
    /// Others use the workshop's cert-manager.
    CertManagerInUse,
    /// The release is more than Fulcio and Trillian.
    WholeRelease,
}

impl Refusal {
    /// What ends a plan for this reason.
    pub(crate) fn step(self) -> Refuse {
        Refuse { what: self }
    }
}

impl StepArgs for Refuse {
    const NAME: &'static str = "refuse";

    fn arguments(&self) -> Vec<Word> {
        let value = self.what.to_possible_value();
        value.map_or(Vec::new(), |value| words![value.get_name()])
    }
}

impl Refuse {
    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let kubectl = cluster.kubectl()?;
        match self.what {
            Refusal::ForeignNamespaces => {
                namespaces::refuse_foreign(&kubectl, cluster.settings()?.rekor)
            }
            Refusal::ForeignRelease => scaffold_release::refuse_foreign(&kubectl),
            Refusal::ForeignCertManager => cert_manager::refuse_foreign(&kubectl),
            Refusal::CertManagerInUse => cert_manager::refuse_used(&kubectl),
            Refusal::WholeRelease => scaffold_release::refuse_whole(&cluster.helm()?),
        }
    }
}
