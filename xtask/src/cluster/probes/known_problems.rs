//! The search for known problems on a cluster: each probe looks at one thing that
//! users have tripped over, and names what to type.

use std::time::SystemTime;

use anyhow::Result;

use super::{FindingProbe, gathered, look_at, secrets};
use crate::cluster::Cluster;
use crate::cluster::conditions::problems_now;
use crate::cluster::kubectl::Kubectl;
use crate::cluster::servers::{namespaces, servers};
use crate::entry::{Version, Versions};
use crate::fail::not_so;
use crate::preflight::Finding;
use crate::problems;
use crate::words;

/// How far the clocks of a node and of this machine may be apart: certificates are
/// valid from the moment they are made.
const SKEW_SECONDS: u64 = 10;

/// The probe that looks for the Merkle trees of Trillian.
const TREES: &str = "trees";

impl Cluster {
    /// What the cluster itself shows.
    pub(in crate::cluster) fn probes(&self) -> Result<Vec<Finding>> {
        let kubectl = self.kubectl()?;
        let settings = self.settings()?;
        let (needs_anonymous, rekor) = (settings.anonymous, settings.rekor);
        let all: [FindingProbe<'_>; 8] = [
            ("anonymous", &|| anonymous(&kubectl, needs_anonymous)),
            ("clocks", &|| clocks(&kubectl)),
            ("pods", &|| pods(&kubectl, rekor)),
            ("secrets", &|| secrets::secrets(&kubectl, rekor)),
            (TREES, &|| secrets::trees(&kubectl)),
            ("sct-key", &|| secrets::sct_key(&kubectl, rekor)),
            ("trust", &|| secrets::trust(self, &kubectl)),
            ("logs", &|| Ok(server_logs(&kubectl, rekor))),
        ];
        // Those of Rekor v2 are files.
        let has_trees = rekor.has(Version::V1);
        let probes = all
            .into_iter()
            .filter(|(name, _)| has_trees || *name != TREES);
        Ok(look_at(&probes.collect::<Vec<_>>()))
    }
}

/// Whether the discovery document can be read without a token: a Fulcio that asks without
/// one needs it, and so does one outside.
fn anonymous(kubectl: &Kubectl, needed: bool) -> Result<Finding> {
    let finding = Finding::new(
        "anonymous",
        "reading of the discovery document, for a Fulcio outside",
    );
    let binding = kubectl.get("", "clusterrolebinding/oidc-reviewer")?;
    if binding.is_some() {
        return Ok(finding.found("allowed by the binding oidc-reviewer"));
    }
    let said = "not allowed: there is no binding oidc-reviewer";
    let finding = finding.missing(said, "cargo xtask oidc-reviewer");
    Ok(if needed {
        finding
    } else {
        finding.optional("the Fulcio of this cluster asks with a token of its own")
    })
}

fn clocks(kubectl: &Kubectl) -> Result<Finding> {
    let finding = Finding::new(
        "clocks",
        format!("within {SKEW_SECONDS} seconds of this machine"),
    );
    // The kubelet renews this every ten seconds; the API server's clock would do,
    // but kubectl does not show it.
    let before = SystemTime::now();
    let leases = kubectl.get_all(words!["leases", "--namespace=kube-node-lease"])?;
    let mut apart = Vec::new();
    for lease in leases {
        let node = lease.metadata.name;
        let renewed = lease.spec.renew_time;
        let renewed = renewed.and_then(|at| humantime::parse_rfc3339_weak(&at).ok());
        let Some(at) = renewed else {
            continue;
        };
        let ahead = at.duration_since(before).map_or(0, |ahead| ahead.as_secs());
        // A lease is renewed every ten seconds and may be as old as that.
        let behind = before
            .duration_since(at)
            .map_or(0, |behind| behind.as_secs().saturating_sub(10));
        let skew = ahead.max(behind);
        if skew > SKEW_SECONDS {
            let way = if ahead > 0 { "ahead of" } else { "behind" };
            apart.push(format!(
                "{node} is {skew} s {way} this machine, or does not report"
            ));
        }
    }
    Ok(if apart.is_empty() {
        finding.found("they agree")
    } else {
        finding.missing(
            apart.join("; "),
            "set the clocks; a minikube that slept is set by: minikube stop, then cargo xtask minikube",
        )
    })
}

fn pods(kubectl: &Kubectl, rekor: Versions) -> Result<Finding> {
    let finding = Finding::new("pods", "all that were started run");
    let mut problems = Vec::new();
    for namespace in namespaces(rekor) {
        for fail in problems_now(kubectl, namespace)? {
            problems.push((format!("{namespace}: {}", fail.what), fail.hints));
        }
    }
    Ok(gathered(finding, "they do", problems))
}

/// What the servers print, where the table of known problems explains it.
fn server_logs(kubectl: &Kubectl, rekor: Versions) -> Finding {
    let finding = Finding::new("logs", "no known problem in what the servers print");
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for server in servers(rekor) {
        let deployment = format!("deployment/{}", server.deployment);
        let mut words = words!["logs", "--namespace", server.namespace];
        words.extend(words!["--tail=40", "--since=10m", deployment]);
        let Ok(text) = kubectl.ask(words) else {
            continue;
        };
        for line in text.lines() {
            let fail = problems::explain(not_so("").tail(vec![line.to_owned()]));
            let what = format!("{}: {}", server.name, fail.what);
            if fail.known && !found.iter().any(|(known, _)| *known == what) {
                found.push((what, fail.hints));
            }
        }
    }
    // A server that came up before what it needs has said so.
    gathered(finding, "none", found).optional("it may be over")
}
