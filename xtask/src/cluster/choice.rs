//! What is chosen for a cluster: the options of `install`, checked before anything
//! runs, and remembered.

use std::path::{Path, PathBuf};

use anyhow::Result;

use serde_json::Value;

use super::Cluster;
use super::forwards::FORWARDS;
use super::plans::ISSUER;
use super::preflight::host;
use super::releases::{CERT_MANAGER, SCAFFOLD};
use super::settings::Settings;
use super::steps::Choose;
use crate::exec::output_of;
use crate::fail::broken;
use crate::local::process;
use crate::plan::Step;
use crate::state;
use crate::target::{ClusterOptions, TargetKind};
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
        match options.charts.as_deref() {
            None => {}
            Some("none") => settings.charts = None,
            Some(place) if place.contains("://") => settings.charts = Some(place.to_owned()),
            Some(place) if Path::new(place).is_dir() => {
                let place = std::path::absolute(place)?;
                settings.charts = Some(place.to_string_lossy().into_owned());
            }
            Some(place) => {
                return Err(broken(format!("there is no directory {place}"))
                    .hint("charts come from a directory, a helm repository (https://…) or an OCI reference (oci://…)")
                    .into());
            }
        }
        overlay(
            &mut settings.versions,
            options.versions.as_deref(),
            "--versions",
        )?;
        overlay(&mut settings.values, options.values.as_deref(), "--values")?;
        match options.ingress.as_deref() {
            None => {}
            Some("none") => settings.ingress = None,
            Some("") if self.kind == TargetKind::Minikube => {
                settings.ingress = Some(self.nip_io()?)
            }
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
        // minikube is started with the issuer that the chart expects.
        if self.kind == TargetKind::Cluster
            && let Ok(discovery) = self.discovery()
        {
            (settings.issuer, settings.anonymous) = issuer_of(&discovery);
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
        let choose = Choose::from(self.settings()?);
        let cluster = self.clone();
        Ok(Step::new("begin", "remember what was chosen")
            .again()
            .done(move || {
                let kept: Option<Settings> = state::read_json(&cluster.dir.join("settings.json"))?;
                // An overlay may have changed since.
                let same =
                    kept.as_ref() == Some(cluster.settings()?) && cluster.values_are_written()?;
                Ok(same.then(|| "it is what was chosen before".to_owned()))
            })
            .xtask(choose))
    }
}

/// An overlay that was named, or taken back, or is as it was chosen before.
fn overlay(kept: &mut Option<PathBuf>, named: Option<&Path>, option: &str) -> Result<()> {
    match named {
        None => {}
        Some(path) if path == Path::new("none") => *kept = None,
        Some(path) => *kept = Some(std::path::absolute(path)?),
    }
    match kept {
        Some(path) if !path.is_file() => {
            Err(broken(format!("there is no file {}", path.display()))
                .hint(format!("name another one, or do without: {option} none"))
                .into())
        }
        _ => Ok(()),
    }
}

/// The issuer of a discovery document, where it is another than the chart expects,
/// and whether Fulcio must ask without a token: it shows one to the issuer's host
/// only, and nobody outside the cluster should see it.
fn issuer_of(discovery: &Value) -> (Option<String>, bool) {
    let text = |name: &str| discovery[name].as_str().unwrap_or_default();
    let (issuer, keys) = (text("issuer"), text("jwks_uri"));
    let inside = [ISSUER, "https://kubernetes.default.svc.cluster.local"].contains(&issuer);
    let other = Some(issuer.to_owned()).filter(|issuer| issuer != ISSUER && !issuer.is_empty());
    (other, !inside || host(issuer) != host(keys))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(issuer: &str, keys: &str) -> (Option<String>, bool) {
        issuer_of(&json!({"issuer": issuer, "jwks_uri": keys}))
    }

    #[test]
    fn fulcio_shows_its_token_to_the_cluster_only() {
        let local = "https://kubernetes.default.svc.cluster.local";
        assert_eq!(
            of(ISSUER, &format!("{ISSUER}/openid/v1/jwks")),
            (None, false)
        );
        assert_eq!(
            of(ISSUER, "https://10.0.0.1:6443/openid/v1/jwks"),
            (None, true)
        );
        assert_eq!(
            of(local, &format!("{local}/openid/v1/jwks")),
            (Some(local.into()), false)
        );
        assert_eq!(
            of(local, "https://172.18.0.2:6443/openid/v1/jwks"),
            (Some(local.into()), true)
        );
        let cloud = "https://oidc.example.com/id/1";
        assert_eq!(
            of(cloud, "https://oidc.example.com/id/1/keys"),
            (Some(cloud.into()), true)
        );
    }
}
