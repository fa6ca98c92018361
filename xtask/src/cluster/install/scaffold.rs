//! Sigstore itself: the chart sigstore/scaffold, in an order in which none of its
//! Jobs fails. A Job that fails once is tried again after ten seconds, then twenty,
//! and those that wait look every few seconds at most: what a Job needs comes
//! before the Job.

use anyhow::Result;

use super::Readiness;
use crate::cluster::Cluster;
use crate::cluster::charts::Charts;
use crate::cluster::conditions::{Condition, ConditionKind, all_hold};
use crate::cluster::helm::{Helm, SCAFFOLD};
use crate::cluster::kubectl::Kubectl;
use crate::cluster::servers::{
    CTLOG, CTLOG_TILES, ClusterServer, FULCIO, LOGS, REKOR, TRILLIAN_SERVER, TRILLIAN_SIGNER,
    shown_by_ingress,
};
use crate::cluster::single_writer::SingleWriter;
use crate::cluster::steps::{
    ClearJobs, DatabaseSecret, FirstClusterEntry, IngressHosts, OneWriter,
};
use crate::entry::{Version, Versions};
use crate::plan::{Plan, Step, StepArgs};
use crate::words;

/// The step that has Rekor's key made.
pub(super) const REKOR_KEY: &str = "scaffold-rekor-key";

impl Cluster {
    /// Adds the steps that install what the logs stand on.
    pub(super) fn push_ground(&self, plan: &mut Plan, charts: &Charts) -> Result<()> {
        if self.settings()?.rekor.has(Version::V1) {
            let kubectl = self.kubectl()?;
            plan.push(DatabaseSecret::step(&kubectl).needs(["namespaces"]));
            plan.push(rekor_key_step(&kubectl));
        }
        self.push_first_phase(plan, charts)
    }

    /// Adds the steps that install the rest of the chart.
    pub(super) fn push_scaffold(&self, plan: &mut Plan, charts: &Charts) -> Result<()> {
        let (kubectl, rekor) = (self.kubectl()?, self.settings()?.rekor);
        plan.push(whole_step(charts, &kubectl, self.helm()?));
        if rekor.has(Version::V1) {
            plan.push(
                trillian("scaffold-trillian")
                    .step(&kubectl)
                    .needs(["scaffold"]),
            );
        }
        let servers = [&FULCIO, &REKOR, &CTLOG].into_iter();
        for server in servers.filter(|server| server.runs(rekor)) {
            let step = of_server(&format!("scaffold-{}", server.name), server);
            plan.push(step.step(&kubectl).needs(["scaffold"]));
        }
        if rekor.has(Version::V1) {
            let first = FirstClusterEntry::step(self, Version::V1);
            plan.push(first.needs(["scaffold-rekor", "scaffold-trillian"]));
        }
        if self.settings()?.ingress.is_some() {
            plan.push(IngressHosts::step(self)?);
            for (server, certificate) in shown_by_ingress(rekor) {
                let step = ingress_step(server);
                let title = format!("wait for {}", certificate.title);
                let ready = Readiness::new(&step, &title, server.namespace, &certificate.ready());
                let needs = ["scaffold", "issuer", IngressHosts::NAME];
                plan.push(ready.step(&kubectl).needs(needs));
            }
        }
        Ok(())
    }
}

fn whole_step(charts: &Charts, kubectl: &Kubectl, helm: Helm) -> Step {
    let (kubectl, charts) = (kubectl.clone(), charts.clone());
    let upgrade = [
        words!["upgrade", "--install"],
        charts.release_words(SCAFFOLD),
    ];
    let upgrade = helm.command(upgrade.concat());
    let v1 = charts.sources.settings.rekor.has(Version::V1);
    let title = match v1 {
        true => "install Rekor and the CT log as well",
        false => "let Fulcio keep its authority",
    };
    let mut step = Step::new("scaffold", title)
        .needs(["begin", "scaffold-trees", "scaffold-authority", REKOR_KEY])
        // Fulcio asks the log on tiles from here on, and it has to be there.
        .needs([CTLOG_TILES.deployment])
        .done(move || {
            let done = charts.is_current(&helm, SCAFFOLD)? && (!v1 || logs_are_coming(&kubectl)?);
            Ok(done.then(|| "it is as it should be".to_owned()))
        })
        .xtask(ClearJobs {});
    if v1 {
        let server = SingleWriter::TrillianMysql;
        step = step.xtask(OneWriter { server });
    }
    step.run(upgrade)
}

/// The steps that wait for the certificates of an ingress.
pub(super) fn ingress_steps(rekor: Versions) -> impl Iterator<Item = String> {
    shown_by_ingress(rekor).map(|(server, _)| ingress_step(server))
}

fn ingress_step(server: &ClusterServer) -> String {
    format!("scaffold-{}-tls", server.name)
}

/// Trillian: the server and the signer together.
pub(super) fn trillian(step: &str) -> Readiness {
    let ready = [TRILLIAN_SERVER.ready, TRILLIAN_SIGNER.ready].concat();
    let title = "wait for Trillian, the Merkle trees";
    Readiness::new(step, title, TRILLIAN_SERVER.namespace, &ready)
}

/// One server.
pub(super) fn of_server(step: &str, server: &ClusterServer) -> Readiness {
    let title = format!("wait for {}", server.title);
    Readiness::new(step, &title, server.namespace, server.ready)
}

/// Rekor's key, which the chart would otherwise make up again at each upgrade.
fn rekor_key_step(kubectl: &Kubectl) -> Step {
    let key = Condition::key(ConditionKind::Secret, "rekor-signer", "tls.key");
    let title = "have the key made that Rekor signs with";
    Readiness::new(REKOR_KEY, title, REKOR.namespace, &[key])
        .step(kubectl)
        .needs(["issuer"])
        .run(kubectl.apply_manifests(&["deploy/certificate-rekor.yml"]))
}

/// Whether the Jobs of the logs have made what they make, or are still at it. One that
/// has given up is made again by an upgrade.
fn logs_are_coming(kubectl: &Kubectl) -> Result<bool> {
    for log in LOGS {
        if all_hold(kubectl, log.namespace, &log.made_by_jobs())? {
            continue;
        }
        let jobs = kubectl.list(log.namespace, "jobs")?;
        if !jobs.iter().any(|job| job.status.active > 0) {
            return Ok(false);
        }
    }
    Ok(true)
}
