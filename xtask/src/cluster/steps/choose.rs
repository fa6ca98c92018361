//! `step choose`: what was chosen for a cluster is remembered.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::cluster::charts::Charts;
use crate::cluster::settings::ClusterSettings;
use crate::entry::Versions;
use crate::local::Claim;
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::state::{self, State};
use crate::target::ClusterOptions;
use crate::words;

/// Remember what was chosen for a cluster, and write the values that follow
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Choose {
    /// The lowest port of the forwards.
    #[arg(long)]
    pub(crate) port_base: u16,
    /// The versions of Rekor that run.
    #[arg(long, value_enum, default_value = "v1")]
    pub(crate) rekor: Versions,
    /// The rest.
    #[command(flatten)]
    pub(crate) options: ClusterOptions,
}

impl From<&ClusterSettings> for Choose {
    fn from(settings: &ClusterSettings) -> Choose {
        Choose {
            port_base: settings.port_base,
            rekor: settings.rekor,
            options: ClusterOptions {
                charts: settings.charts.clone(),
                versions: settings.versions.clone(),
                values: settings.values.clone(),
                ingress: settings.ingress.clone(),
            },
        }
    }
}

impl StepArgs for Choose {
    const NAME: &'static str = "choose";

    fn arguments(&self) -> Vec<Word> {
        let ClusterOptions {
            charts,
            versions,
            values,
            ingress,
        } = &self.options;
        let mut words = words!["--port-base", self.port_base.to_string()];
        if self.rekor != Versions::V1 {
            words.extend(words!["--rekor", self.rekor.name()]);
        }
        if let Some(charts) = charts {
            words.extend(words!["--charts", charts]);
        }
        for (option, file) in [("--versions", versions), ("--values", values)] {
            if let Some(file) = file {
                words.extend(words![option, file.as_path()]);
            }
        }
        if let Some(domain) = ingress {
            words.push(format!("--ingress={domain}").into());
        }
        words
    }
}

impl Choose {
    /// The step that remembers what was chosen for this cluster.
    pub(in crate::cluster) fn step(cluster: &Cluster, charts: &Charts) -> Step {
        let (file, charts) = (cluster.settings_file(), charts.clone());
        let choose = Choose::from(&charts.sources.settings);
        Step::new("begin", "remember what was chosen")
            .again()
            .done(move || {
                let kept: Option<ClusterSettings> = state::read_json(&file)?;
                // An overlay may have changed since.
                let is_same = kept.as_ref() == Some(&charts.sources.settings)
                    && charts.values_are_written()?;
                Ok(is_same.then(|| "it is what was chosen before".to_owned()))
            })
            .xtask(choose)
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        State::open(cluster.dir.parent().unwrap_or(&cluster.dir).to_owned())?.create()?;
        // Nothing but what is typed here counts: it is the whole choice.
        let fresh = cluster.with_settings(ClusterSettings {
            port_base: self.port_base,
            rekor: self.rekor,
            ..ClusterSettings::new(&cluster.settings()?.context)
        });
        // The plan knew the issuer of the cluster, but its words do not name it. It is
        // asked for again, since a command that was printed may be run much later.
        let charts = fresh.charts_with(&self.options)?;
        // Helm writes into this one, and makes none.
        state::make_dir(&charts.sources.fetched())?;
        charts.write_values()?;
        state::write_json(&cluster.settings_file(), &charts.sources.settings)?;
        let claim = Claim {
            dir: cluster.dir.clone(),
            port_base: self.port_base,
            servers: None,
        };
        claim.remember();
        Ok(())
    }
}
