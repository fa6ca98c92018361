//! `step chart-certificates`: the certificates that a chart is given as values.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::cluster::Cluster;
use crate::cluster::tile_values::CertifiedChart;
use crate::fail::broken;
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::{state, words};

/// Write the certificates that a chart is given as values
#[derive(Debug, PartialEq, Args)]
pub(crate) struct ChartCertificates {
    /// The chart.
    pub(crate) chart: CertifiedChart,
}

impl StepArgs for ChartCertificates {
    const NAME: &'static str = "chart-certificates";

    fn arguments(&self) -> Vec<Word> {
        let value = self.chart.to_possible_value();
        value.map_or(Vec::new(), |value| words![value.get_name()])
    }
}

impl ChartCertificates {
    /// The step that writes them; it is done where they are those of the cluster.
    pub(in crate::cluster) fn step(cluster: &Cluster, chart: CertifiedChart) -> Result<Step> {
        let (kubectl, helm, name) = (cluster.kubectl()?, cluster.helm()?, chart.chart());
        let file = cluster.certificates_file(name);
        let title = format!("write the certificates that the chart {name} is given");
        Ok(Step::new(format!("{name}-certificates"), title)
            .done(move || {
                let wanted = chart.values(&kubectl, &helm)?;
                let current = wanted.is_some() && state::read_json(&file)? == wanted;
                Ok(current.then(|| "they are those of the cluster".to_owned()))
            })
            .xtask(ChartCertificates { chart }))
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let values = self.chart.values(&cluster.kubectl()?, &cluster.helm()?)?;
        let values = values.ok_or_else(|| {
            let name = self.chart.chart();
            broken(format!("the certificates for {name} are not made yet"))
                .hint("cargo xtask scaffold --with-needs")
        })?;
        state::write_json(&cluster.certificates_file(self.chart.chart()), &values)
    }
}
