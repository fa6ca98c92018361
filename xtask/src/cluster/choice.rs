//! What is chosen for a cluster: the options of `install`, checked before anything
//! runs, and remembered.

use std::path::Path;

use anyhow::Result;

use super::Cluster;
use super::forwards::FORWARDS;
use super::releases::{CERT_MANAGER, SCAFFOLD};
use super::settings::Settings;
use crate::cli::{ClusterOptions, On};
use crate::fail::broken;
use crate::local::process;
use crate::plan::Step;
use crate::plan::program::output_of;
use crate::state;
use crate::words;

impl Cluster {
    /// The target as it will be after `install` with these options.
    ///
    /// # Errors
    /// Where no cluster is known or an option does not fit.
    pub fn with_options(
        mut self,
        options: &ClusterOptions,
        port_base: Option<u16>,
    ) -> Result<Cluster> {
        let mut settings = self.settings()?.clone();
        if let Some(base) = port_base.filter(|base| *base != settings.port_base) {
            for forward in FORWARDS {
                if process::running(&self.dir, forward.name)?.is_some() {
                    return Err(broken(format!(
                        "the ports cannot change while the forward to {} runs",
                        forward.name
                    ))
                    .hint("cargo xtask stop")
                    .into());
                }
            }
            settings.port_base = base;
        }
        let file = |path: &Path| -> Result<_> {
            if path.is_file() {
                return Ok(std::path::absolute(path)?);
            }
            Err(broken(format!("there is no file {}", path.display())).into())
        };
        if let Some(place) = &options.charts {
            settings.charts = Some(if place.contains("://") {
                place.clone()
            } else if Path::new(place).is_dir() {
                std::path::absolute(place)?.to_string_lossy().into_owned()
            } else {
                return Err(broken(format!("there is no directory {place}"))
                    .hint("charts come from a directory, a helm repository (https://…) or an OCI reference (oci://…)")
                    .into());
            });
        }
        if let Some(path) = &options.versions {
            settings.versions = Some(file(path)?);
        }
        if let Some(path) = &options.values {
            settings.values = Some(file(path)?);
        }
        match options.ingress.as_deref() {
            None => {}
            Some("none") => settings.ingress = None,
            Some("") if self.kind == On::Minikube => settings.ingress = Some(self.nip_io()?),
            Some("") => {
                return Err(broken("on a cluster the domain of the ingress must be named")
                    .hint("name it: --ingress=ADDRESS.nip.io, with the address of the ingress controller")
                    .into());
            }
            Some(domain) => {
                let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
                // `fulcio.` before it must fit into the name in a certificate, which
                // has at most 64 characters.
                if !domain.chars().all(fits) || domain.len() > 57 {
                    return Err(broken(format!("{domain:?} is not a domain")).into());
                }
                settings.ingress = Some(domain.to_owned());
            }
        }
        self.settings = Ok(settings);
        // What would fail later, fails before anything runs.
        self.pins()?;
        for source in [CERT_MANAGER, SCAFFOLD] {
            self.chart_path(source.chart)?;
            self.wanted_values(source.chart)?;
        }
        Ok(self)
    }

    /// The domain that resolves to minikube's address.
    ///
    /// # Errors
    /// Where minikube does not run.
    pub fn nip_io(&self) -> Result<String> {
        if !self.minikube_runs()? {
            return Err(broken("the address of minikube is known once it runs")
                .hint("start it first: cargo xtask minikube")
                .into());
        }
        let address = output_of(&self.minikube(words!["ip"])?, None)?;
        Ok(format!("{}.nip.io", address.trim()))
    }

    /// The step that remembers the choice.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub fn begin_step(&self) -> Result<Step> {
        let settings = self.settings()?;
        let mut words = words![
            "step",
            "choose",
            "--port-base",
            settings.port_base.to_string()
        ];
        let Settings {
            charts,
            versions,
            values,
            ingress,
            ..
        } = settings;
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
        let cluster = self.clone();
        Ok(Step::new("begin", "remember what was chosen")
            .done(move || {
                let kept: Option<Settings> = state::read_json(&cluster.dir.join("settings.json"))?;
                // An overlay may have changed since.
                let same =
                    kept.as_ref() == Some(cluster.settings()?) && cluster.values_are_written()?;
                Ok(same.then(|| "it is what was chosen before".to_owned()))
            })
            .xtask(words))
    }
}
