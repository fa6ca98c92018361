//! What a plan has to know of the world, gathered before it is built: the plan itself
//! asks nobody.

use std::path::PathBuf;

use anyhow::Result;

use super::Cluster;
use super::charts::Charts;
use super::discovery::Discovery;
use super::forwards::{self, PortForward};
use super::job_manifest::{sample_image, tool_image};
use super::object::DEFAULT;
use super::servers::{REGISTRY, asked_to_sign, forwarded};
use crate::artifact::Artifact;
use crate::entry::{Version, Versions};
use crate::local::process;
use crate::random::random;
use crate::target::{ClusterOptions, CosignRuns, InstallStage, TargetKind, WayBack};

/// What is asked of an install.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) options: &'a ClusterOptions,
    pub(super) port_base: Option<u16>,
    /// The versions of Rekor, where some are chosen.
    pub(super) rekor: Option<Versions>,
    /// How far it goes, where not to the end.
    pub(super) stage: Option<InstallStage>,
}

impl<'a> Request<'a> {
    /// One with these options and nothing else.
    pub(super) fn new(options: &'a ClusterOptions) -> Request<'a> {
        Request {
            options,
            port_base: None,
            rekor: None,
            stage: None,
        }
    }
}

/// What the cluster and this machine say, on which a choice depends.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings {
    /// Who issues the cluster's tokens, where the cluster says it. That of a minikube is
    /// the one that the chart expects.
    pub(super) discovery: Option<Discovery>,
    /// The domain that resolves to minikube's address, where one is wanted.
    pub(super) nip_io: Option<String>,
    /// The server to which a forward is open whose port would change.
    pub(super) forwarded: Option<&'static str>,
    /// Whether an install has come to its end here.
    pub(super) complete: bool,
}

impl Surroundings {
    /// Asks the cluster, and this machine, for what the request needs.
    fn gather(cluster: &Cluster, request: Request<'_>) -> Result<Surroundings> {
        let settings = cluster.settings()?;
        let mut facts = Surroundings {
            complete: cluster.trust_file("trusted_root.json").exists(),
            ..Surroundings::default()
        };
        if request
            .port_base
            .is_some_and(|base| base != settings.port_base)
        {
            for server in forwarded(Versions::Both) {
                if process::running(&cluster.dir, server.name)?.is_some() {
                    facts.forwarded.get_or_insert(server.name);
                }
            }
        }
        let asked = request.options.ingress.as_deref();
        let kept = settings.ingress.is_some() && asked != Some("none");
        let is_given = kept || asked.is_some_and(|domain| !["", "none"].contains(&domain));
        let is_wanted =
            asked == Some("") || request.stage == Some(InstallStage::Ingress) && !is_given;
        if cluster.kind == TargetKind::Minikube && is_wanted {
            facts.nip_io = Some(cluster.minikube()?.nip_io()?);
        }
        if cluster.kind == TargetKind::Cluster {
            facts.discovery = Discovery::of(&cluster.kubectl()?).ok();
        }
        Ok(facts)
    }
}

/// What the plan of an install has to know.
#[derive(Debug, Clone)]
pub(super) struct InstallFacts {
    /// The charts, with the settings as they will be.
    pub(super) charts: Charts,
    /// The image that signs and verifies.
    pub(super) job_image: String,
    /// Whether the servers are to be shown below no domain any more.
    pub(super) ends_ingress: bool,
}

impl InstallFacts {
    /// Asks the cluster, and this machine, for what the request needs, and reads what is
    /// chosen so. What would fail later, fails here, before anything runs.
    pub(super) fn gather(cluster: &Cluster, request: Request<'_>) -> Result<InstallFacts> {
        let surroundings = Surroundings::gather(cluster, request)?;
        let chosen = cluster.chosen(request, &surroundings)?;
        Ok(InstallFacts {
            charts: Charts::read(&cluster.repo, &cluster.dir, &chosen)?,
            job_image: tool_image(&cluster.repo)?,
            ends_ingress: request.options.ingress.as_deref() == Some("none"),
        })
    }
}

/// What the plans that end forwards, or take back what was made, have to know.
#[derive(Debug, Clone, Default)]
pub(super) struct RemovalFacts {
    /// The names of the forwards that are remembered.
    pub(super) forwards: Vec<String>,
    /// The image whose signatures go, where some were made here.
    pub(super) sample: Option<String>,
}

impl RemovalFacts {
    /// Looks at what is kept on this machine.
    pub(super) fn gather(cluster: &Cluster, ways: &[WayBack]) -> Result<RemovalFacts> {
        // This asks kubectl for its context where nothing else tells which cluster it is.
        // The plan does without where that fails.
        let _ = cluster.settings();
        let is_unsign = |way: &WayBack| matches!(way, WayBack::Unsign { .. });
        let unsigns = cluster.installed && ways.iter().any(is_unsign);
        Ok(RemovalFacts {
            forwards: forwards::remembered(&cluster.dir),
            sample: unsigns.then(|| sample_image(&cluster.repo)).transpose()?,
        })
    }
}

/// What the plan of signing has to know.
#[derive(Debug, Clone)]
pub(super) struct SigningFacts {
    /// Whether there is a service account to sign as.
    pub(super) account_exists: bool,
    pub(super) place: CosignPlace,
}

impl SigningFacts {
    /// Asks the cluster for the service account, and this machine for the rest.
    pub(super) fn gather(
        cluster: &Cluster,
        artifacts: &[Artifact],
        account: &str,
        rekor: Version,
        place: CosignRuns,
    ) -> Result<SigningFacts> {
        let account = format!("serviceaccount/{account}");
        let account = cluster.kubectl()?.get(DEFAULT, &account)?;
        Ok(SigningFacts {
            account_exists: account.is_some(),
            place: CosignPlace::gather(cluster, Some(rekor), artifacts, place)?,
        })
    }
}

/// Where cosign runs, for signing and for verifying.
#[derive(Debug, Clone)]
pub(super) enum CosignPlace {
    /// In the cluster, as Jobs of these names, one for each artifact.
    Jobs(Vec<String>),
    /// On this machine.
    Here {
        /// The program.
        cosign: PathBuf,
        /// The ways into the cluster.
        forwards: Vec<PortForward>,
    },
}

impl CosignPlace {
    /// Where cosign runs, and what it is given there: to sign into a version of Rekor, or
    /// to verify. Files are here, not in the cluster.
    pub(super) fn gather(
        cluster: &Cluster,
        signs: Option<Version>,
        artifacts: &[Artifact],
        place: CosignRuns,
    ) -> Result<CosignPlace> {
        let is_image = |artifact: &Artifact| matches!(artifact, Artifact::Image(_));
        if place != CosignRuns::OnHost && artifacts.iter().all(is_image) {
            let verb = if signs.is_some() { "sign" } else { "verify" };
            let names = artifacts.iter().map(|_| job_name(verb));
            return Ok(CosignPlace::Jobs(names.collect::<Result<_>>()?));
        }
        let mut servers = Vec::new();
        let is_forwarded = cluster.settings()?.ingress.is_none();
        // An ingress shows these, and only signing needs them.
        if let Some(version) = signs.filter(|_| is_forwarded) {
            servers.extend(asked_to_sign(version));
        }
        if artifacts.iter().any(is_image) {
            servers.push(&REGISTRY);
        }
        let all = cluster.port_forwards()?;
        let forwards = servers.into_iter().map(|server| all.for_command(server));
        Ok(CosignPlace::Here {
            forwards: forwards.collect::<Result<_>>()?,
            cosign: cluster.cosign_program()?,
        })
    }
}

/// A name for a Job that no other user of the cluster has taken: ten digits.
fn job_name(verb: &str) -> Result<String> {
    let bytes: [u8; 4] = random()?;
    Ok(format!("{verb}-{:010}", u32::from_be_bytes(bytes)))
}
