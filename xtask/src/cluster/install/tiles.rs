//! Rekor v2: the logs on tiles and the timestamp authority, a chart each, and what hands
//! out the tiles. They stand on volumes, and on nothing else that would have to be up.

use anyhow::Result;

use super::{Readiness, ready};
use crate::cluster::Cluster;
use crate::cluster::charts::Charts;
use crate::cluster::conditions::{Condition, ConditionKind, all_hold};
use crate::cluster::helm::{self, ChartRelease};
use crate::cluster::object::LABEL;
use crate::cluster::servers::{
    CT_TILES, CTLOG_TILES, ClusterServer, REKOR_TILES, TILES, TIMESTAMP,
};
use crate::cluster::single_writer::SingleWriter;
use crate::cluster::steps::{ChartCertificates, FirstClusterEntry, OneWriter, TimestampKey};
use crate::cluster::tile_values::CertifiedChart;
use crate::cluster::yaml::merge_json;
use crate::entry::Version;
use crate::plan::{Plan, Step};
use crate::words;

/// The steps that have the keys made.
pub(super) const KEYS: [&str; 3] = ["ctlog-tiles-key", "rekor-tiles-key", TimestampKey::STEP];

/// The steps after which its servers are there.
pub(super) const SERVERS: [&str; 3] = ["ctlog-tiles", "first-entry", "tsa"];

impl Cluster {
    /// Adds the steps that install it.
    pub(super) fn push_tiles(&self, plan: &mut Plan, charts: &Charts) -> Result<()> {
        let kubectl = self.kubectl()?;
        plan.push(TimestampKey::step(&kubectl).needs(["namespaces"]));
        for log in [&CTLOG_TILES, &REKOR_TILES] {
            self.push_log_ground(plan, log)?;
        }
        for chart in [CertifiedChart::CtlogTiles, CertifiedChart::Tsa] {
            let needs = match chart {
                CertifiedChart::CtlogTiles => ["begin", "scaffold-authority"],
                CertifiedChart::Tsa => ["begin", TimestampKey::STEP],
            };
            plan.push(ChartCertificates::step(self, chart)?.needs(needs));
        }
        let (log, tsa) = (CertifiedChart::CtlogTiles, CertifiedChart::Tsa);
        let ctlog = self.chart_step(charts, helm::CTLOG_TILES, &CTLOG_TILES, Some(log))?;
        plan.push(self.single_writer(ctlog, SingleWriter::CtlogTiles)?);
        let rekor = self.chart_step(charts, helm::REKOR_TILES, &REKOR_TILES, None)?;
        plan.push(self.single_writer(rekor, SingleWriter::RekorTiles)?);
        plan.push(self.chart_step(charts, helm::TSA, &TIMESTAMP, Some(tsa))?);
        for (log, reader) in [(&CTLOG_TILES, &CT_TILES), (&REKOR_TILES, &TILES)] {
            // The pod is placed beside that of the log.
            let step = format!("{}-reader", log.deployment);
            let title = format!("serve {}", reader.title);
            let readiness = Readiness::new(&step, &title, reader.namespace, reader.ready);
            let file = format!("deploy/reader-{}.yml", log.deployment);
            let apply = kubectl.apply_manifests(&[&file]);
            plan.push(readiness.step(&kubectl).needs([log.deployment]).run(apply));
        }
        let servers = [REKOR_TILES.deployment, "rekor-tiles-reader"];
        plan.push(FirstClusterEntry::step(self, Version::V2).needs(servers));
        Ok(())
    }

    /// The step that installs a server which holds the lock of its volume. What an
    /// upgrade changes makes a new pod, so the old one has to be sure to end first.
    fn single_writer(&self, mut step: Step, server: SingleWriter) -> Result<Step> {
        let (kubectl, done) = (self.kubectl()?, step.done.take());
        let alone = OneWriter { server };
        step.actions.insert(0, alone.into());
        let step = step.xtask(OneWriter { server });
        Ok(step.done(move || match &done {
            Some(done) if server.is_set(&kubectl)? => done(),
            _ => Ok(None),
        }))
    }

    /// Adds the steps that make the volume and the key of a log.
    fn push_log_ground(&self, plan: &mut Plan, log: &ClusterServer) -> Result<()> {
        let (kubectl, name) = (self.kubectl()?, log.deployment);
        let volume = Condition::new(ConditionKind::Volume, name);
        let title = format!("make a volume for {}", log.title);
        let readiness = Readiness::new(&format!("{name}-volume"), &title, log.namespace, &[volume]);
        let apply = kubectl.apply_manifests(&[&format!("deploy/volume-{name}.yml")]);
        let step = readiness.told("it is there").step(&kubectl);
        plan.push(step.needs(["namespaces"]).run(apply));
        let secret = log.public.as_ref().map_or("", |part| part.secret);
        let key = Condition::key(ConditionKind::Secret, secret, "tls.key");
        let title = format!("have the key made of {}", log.title);
        let readiness = Readiness::new(&format!("{name}-key"), &title, log.namespace, &[key]);
        let apply = kubectl.apply_manifests(&[&format!("deploy/certificate-{name}.yml")]);
        let step = readiness.told("it is there").step(&kubectl);
        plan.push(step.needs(["issuer"]).run(apply));
        Ok(())
    }

    /// The step that installs the chart of a server.
    fn chart_step(
        &self,
        charts: &Charts,
        release: ChartRelease,
        server: &'static ClusterServer,
        certified: Option<CertifiedChart>,
    ) -> Result<Step> {
        let (kubectl, helm, charts) = (self.kubectl()?, self.helm()?, charts.clone());
        let mut upgrade = words!["upgrade", "--install", "--labels", LABEL];
        upgrade.extend(charts.release_words(release));
        if let Some(chart) = certified {
            upgrade.extend(words!["--values", self.certificates_file(chart.chart())]);
        }
        let (chart, upgrade) = (release.chart, helm.command(upgrade));
        let of = |what: &str| format!("{chart}-{what}");
        Ok(Step::new(chart, format!("install {}", server.title))
            .needs(["begin".to_owned()])
            .needs(["chart", "key", "volume", "certificates"].map(of))
            .needs((server.name == TIMESTAMP.name).then_some(TimestampKey::STEP))
            .done(move || {
                let mut wanted = charts.wanted_values(chart).clone();
                if let Some(certified) = certified {
                    let Some(more) = certified.values(&kubectl, &helm)? else {
                        return Ok(None);
                    };
                    merge_json(&mut wanted, more);
                }
                let done = charts.is_current_with(&helm, release, &wanted)?
                    && all_hold(&kubectl, release.namespace, server.ready)?;
                Ok(done.then(|| "it is as it should be".to_owned()))
            })
            .run(upgrade)
            .ready(ready(release.namespace, server.ready)))
    }
}
