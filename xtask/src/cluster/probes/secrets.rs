//! Probes of `doctor` that look at keys and at what is made of them.

use anyhow::Result;

use super::gathered;
use crate::cluster::conditions::all_hold;
use crate::cluster::copies::text_of;
use crate::cluster::kubectl::Kubectl;
use crate::cluster::object::{DEFAULT, Object};
use crate::cluster::servers::{CTLOG, CTLOG_TILES, FULCIO, LOGS, with_public_part};
use crate::cluster::trust::CONFIG_MAP;
use crate::cluster::{Cluster, copies};
use crate::entry::{Version, Versions};
use crate::preflight::Finding;

/// What to do where Fulcio's key is gone: no command of the workshop makes another one
/// beside logs that know the first.
const LOST: &str =
    "have the chart's Job createcerts make another authority, as docs/cluster.md says of keys";

pub(super) fn secrets(kubectl: &Kubectl, rekor: Versions) -> Result<Finding> {
    let finding = Finding::new(
        "secrets",
        "the keys, and their public parts where images are signed",
    );
    let mut missing = Vec::new();
    for (server, part) in with_public_part(rekor) {
        let secret = format!("secret/{}", part.secret);
        if kubectl.get(server.namespace, &secret)?.is_none() {
            let what = format!("{}/{} is missing", server.namespace, part.secret);
            let lost = server.name == FULCIO.name && authorities(kubectl, rekor)?.is_some();
            let hint = if lost {
                LOST
            } else {
                "cargo xtask scaffold --with-needs"
            };
            missing.push((what, vec![hint.to_owned()]));
        }
    }
    if missing.is_empty() && !copies::are_current(kubectl, rekor)? {
        let what = format!("the copies in {DEFAULT} are missing or old");
        missing.push((what, vec!["cargo xtask copy-secrets".to_owned()]));
    }
    Ok(gathered(finding, "they are there", missing))
}

pub(super) fn trees(kubectl: &Kubectl) -> Result<Finding> {
    let finding = Finding::new("trees", "a Merkle tree for each log");
    let mut missing = Vec::new();
    for log in LOGS {
        let namespace = log.namespace;
        if !all_hold(kubectl, namespace, log.tree.as_slice())? {
            let map = log.tree.as_ref().map_or("", |tree| tree.name());
            let what = format!("{namespace}/{map} names no tree: its Job createtree has not run");
            let look = format!(
                "see why: kubectl --namespace {namespace} get jobs,pods; then cargo xtask scaffold --from scaffold"
            );
            missing.push((what, vec![look]));
        }
    }
    Ok(gathered(finding, "they are there", missing))
}

/// The CT log refuses certificates of an authority that it does not know: its
/// configuration holds Fulcio's certificate as it was.
pub(super) fn sct_key(kubectl: &Kubectl, rekor: Versions) -> Result<Finding> {
    let finding = Finding::new("sct-key", "a CT log that knows this Fulcio");
    let fulcio = kubectl.get(FULCIO.namespace, "secret/fulcio-server-secret")?;
    let fulcio = fulcio.and_then(|secret| text_of(&secret, "cert").ok());
    Ok(match (fulcio, authorities(kubectl, rekor)?) {
        (Some(chain), Some(known)) if known.iter().any(|text| text.contains(chain.trim())) => {
            finding.found("it does")
        }
        (Some(_), Some(_)) if rekor.has(Version::V1) => finding.missing(
            "its configuration holds another certificate than Fulcio's",
            "have it added: cargo xtask scaffold --from scaffold, then kubectl --namespace ctlog-system rollout restart deployment/ctlog",
        ),
        (Some(_), Some(_)) => finding.missing(
            "it was given another certificate than Fulcio's",
            "have it added: cargo xtask scaffold",
        ),
        (None, Some(_)) => finding.missing("Fulcio has no authority", LOST),
        (_, None) => finding.missing("there is no configuration of it yet", "cargo xtask scaffold"),
    })
}

/// The authorities that the CT log takes certificates of, as texts of its configuration;
/// `None` before there is one, which is made once there is an authority.
fn authorities(kubectl: &Kubectl, rekor: Versions) -> Result<Option<Vec<String>>> {
    // Where both versions run, Fulcio shows its certificates to the log of the first.
    if rekor.has(Version::V1) {
        let secret = kubectl.get(CTLOG.namespace, "secret/ctlog-secret")?;
        let texts = |secret: Object| {
            let keys = secret.data.keys();
            keys.filter_map(|key| text_of(&secret, key).ok()).collect()
        };
        return Ok(secret.map(texts));
    }
    let map = kubectl.get(CTLOG_TILES.namespace, "configmap/fulcio-roots")?;
    Ok(map.map(|map| map.data.into_values().collect()))
}

pub(super) fn trust(cluster: &Cluster, kubectl: &Kubectl) -> Result<Finding> {
    let finding = Finding::new("trust", "a trusted root that fits the keys");
    let map = kubectl.get(DEFAULT, &format!("configmap/{CONFIG_MAP}"))?;
    Ok(match map {
        None => finding.missing(
            format!("there is no ConfigMap {CONFIG_MAP}"),
            "cargo xtask trust",
        ),
        Some(_) if cluster.trust_is_current(&[])? => finding.found("it does"),
        Some(_) => finding.missing(
            "the keys have changed, or its files are gone",
            "cargo xtask trust",
        ),
    })
}
