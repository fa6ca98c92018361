//! `step ingress-hosts`: an ingress shows what no chart has an ingress for.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};

use crate::cluster::kubectl::Kubectl;
use crate::cluster::object::LABEL;
use crate::cluster::{Cluster, yaml};
use crate::entry::Version;
use crate::fail::broken;
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::words;

/// What is shown, and the version of Rekor that it is for; `None` where it is for either.
const MANIFESTS: [(Option<Version>, &str); 2] = [
    (None, "deploy/ingress-tuf.yml"),
    (Some(Version::V2), "deploy/ingress-rekor-v2.yml"),
];

/// Have an ingress show the TUF repository, and Rekor v2 where it runs
#[derive(Debug, PartialEq, Args)]
pub(crate) struct IngressHosts {}

impl StepArgs for IngressHosts {
    const NAME: &'static str = "ingress-hosts";

    fn arguments(&self) -> Vec<Word> {
        Vec::new()
    }
}

impl IngressHosts {
    /// The step that shows them; it is done where these hosts, and no others, are shown.
    pub(in crate::cluster) fn step(cluster: &Cluster) -> Result<Step> {
        let (cluster, kubectl) = (cluster.clone(), cluster.kubectl()?);
        let title = "show the servers below the domain of the ingress";
        Ok(Step::new(IngressHosts::NAME, title)
            // An Ingress is refused until the controller is up.
            .needs(["namespaces", "ingress", "issuer"])
            .done(move || {
                let wanted = hosts(&cluster.ingress_objects()?);
                let are_shown = shown(&kubectl)? == wanted;
                Ok(are_shown.then(|| "they are".to_owned()))
            })
            .xtask(IngressHosts {}))
    }

    /// The step that shows none of them any more.
    pub(in crate::cluster) fn removal(cluster: &Cluster) -> Result<Step> {
        let kubectl = cluster.kubectl()?;
        let mut words = Vec::new();
        for (_, file) in MANIFESTS {
            words.extend(words!["--filename", cluster.repo.join(file)]);
        }
        let delete = kubectl.delete(words);
        let title = "show the servers below no domain any more";
        Ok(Step::new(IngressHosts::NAME, title)
            .needs(["namespaces"])
            .done(move || {
                let none = shown(&kubectl)?.is_empty();
                Ok(none.then(|| "there are none".to_owned()))
            })
            .run(delete))
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let items = cluster.ingress_objects()?;
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        cluster.kubectl()?.apply(&list)
    }
}

impl Cluster {
    /// The objects of the manifests, below the domain that was chosen.
    fn ingress_objects(&self) -> Result<Vec<Value>> {
        let settings = self.settings()?;
        let domain = settings.ingress.as_deref().ok_or_else(|| {
            broken("no domain was chosen for an ingress")
                .hint("name one: cargo xtask install --ingress=DOMAIN")
        })?;
        let mut all = Vec::new();
        for (version, file) in MANIFESTS {
            if version.is_some_and(|version| !settings.rekor.has(version)) {
                continue;
            }
            for document in yaml::read_all(&self.repo.join(file))? {
                let object = yaml::filled(document, "DOMAIN", domain);
                all.push(serde_json::to_value(object).context("a manifest is not an object")?);
            }
        }
        Ok(all)
    }
}

/// The hosts of the ingresses among these objects.
fn hosts(objects: &[Value]) -> BTreeSet<String> {
    let rules = objects
        .iter()
        .filter_map(|object| object["spec"]["rules"].as_array());
    let hosts = rules.flatten().filter_map(|rule| rule["host"].as_str());
    hosts.map(str::to_owned).collect()
}

/// The hosts that the cluster shows for the workshop, beside those of the charts.
fn shown(kubectl: &Kubectl) -> Result<BTreeSet<String>> {
    let ours = format!("--selector={LABEL}");
    let all = kubectl.list_with("ingresses", &["--all-namespaces", &ours])?;
    let rules = all.into_iter().flat_map(|ingress| ingress.spec.rules);
    Ok(rules.map(|rule| rule.host).collect())
}
