//! What is chosen for a cluster: the options of `install`, checked before anything
//! runs, and remembered.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Cluster;
use super::charts::Charts;
use super::facts::{InstallFacts, Request, Surroundings};
use super::settings::ClusterSettings;
use crate::entry::Versions;
use crate::fail::broken;
use crate::target::{ClusterOptions, InstallStage, TargetKind};

impl Cluster {
    /// The settings as they will be after what is requested.
    pub(super) fn chosen(
        &self,
        request: Request<'_>,
        facts: &Surroundings,
    ) -> Result<ClusterSettings> {
        let mut settings = self.settings()?.clone();
        settings.take_ports(request.port_base, facts)?;
        settings.take_rekor(request.rekor, facts.complete)?;
        settings.take_charts(request.options.charts.as_deref())?;
        let options = request.options;
        overlay(
            &mut settings.versions,
            options.versions.as_deref(),
            "--versions",
        )?;
        overlay(&mut settings.values, options.values.as_deref(), "--values")?;
        settings.take_ingress(self.kind, options.ingress.as_deref(), facts)?;
        if request.stage == Some(InstallStage::Ingress) && settings.ingress.is_none() {
            settings.ingress.clone_from(&facts.nip_io);
        }
        // minikube is started with the issuer that the chart expects.
        if let Some(discovery) = &facts.discovery {
            (settings.issuer, settings.anonymous) = discovery.for_fulcio();
        }
        Ok(settings)
    }

    /// The charts as they will be after an install with these options.
    pub fn charts_with(&self, options: &ClusterOptions) -> Result<Charts> {
        Ok(InstallFacts::gather(self, Request::new(options))?.charts)
    }

    /// Where the choice is remembered.
    pub(super) fn settings_file(&self) -> PathBuf {
        self.dir.join("settings.json")
    }
}

impl ClusterSettings {
    fn take_ports(&mut self, base: Option<u16>, facts: &Surroundings) -> Result<()> {
        if let Some(server) = facts.forwarded {
            return Err(broken(format!(
                "the ports cannot change while the forward to {server} runs"
            ))
            .hint("cargo xtask stop")
            .into());
        }
        self.port_base = base.unwrap_or(self.port_base);
        Ok(())
    }

    /// Takes the versions of Rekor. What is `complete` changes in one direction and in two
    /// steps: all who verify must know the keys of Rekor v2 before anybody signs with it.
    fn take_rekor(&mut self, wanted: Option<Versions>, complete: bool) -> Result<()> {
        let Some(wanted) = wanted.filter(|wanted| *wanted != self.rekor) else {
            return Ok(());
        };
        match (self.rekor, wanted) {
            _ if !complete => {}
            (Versions::V1, Versions::Both) | (Versions::Both, Versions::V2) => {}
            (Versions::V1, Versions::V2) => {
                return Err(broken("who verifies here does not know the keys of Rekor v2 yet")
                    .hint("first both beside each other: cargo xtask install --rekor both")
                    .hint("then hand out the new trusted root, and then: cargo xtask install --rekor v2")
                    .into());
            }
            (now, _) => {
                return Err(broken(format!(
                    "this installation runs Rekor {}, and there is no way back to {}",
                    now.name(),
                    wanted.name()
                ))
                .hint("remove it first, with its keys and logs: cargo xtask uninstall")
                .into());
            }
        }
        self.rekor = wanted;
        Ok(())
    }

    fn take_charts(&mut self, place: Option<&str>) -> Result<()> {
        match place {
            None => {}
            Some("none") => self.charts = None,
            Some(place) if place.contains("://") => self.charts = Some(place.to_owned()),
            Some(place) if Path::new(place).is_dir() => {
                let place = std::path::absolute(place)?;
                self.charts = Some(place.to_string_lossy().into_owned());
            }
            Some(place) => {
                return Err(broken(format!("there is no directory {place}"))
                    .hint("charts come from a directory, a helm repository (https://…) or an OCI reference (oci://…)")
                    .into());
            }
        }
        Ok(())
    }

    fn take_ingress(
        &mut self,
        kind: TargetKind,
        domain: Option<&str>,
        facts: &Surroundings,
    ) -> Result<()> {
        match domain {
            None => {}
            Some("none") => self.ingress = None,
            Some("") if kind == TargetKind::Minikube => self.ingress.clone_from(&facts.nip_io),
            Some("") => {
                return Err(broken("on a cluster the domain of the ingress must be named")
                    .hint("name it: --ingress=ADDRESS.nip.io, with the address of the ingress controller")
                    .into());
            }
            Some(domain) => {
                let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
                // `timestamp.` before it must fit into the name in a certificate, which
                // has at most 64 characters.
                if !domain.chars().all(fits) || domain.len() > 54 {
                    return Err(broken(format!("{domain:?} is not a domain")).into());
                }
                self.ingress = Some(domain.to_owned());
            }
        }
        Ok(())
    }
}

/// The overlay that is named now, none where it is taken back, else the one chosen
/// before.
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
