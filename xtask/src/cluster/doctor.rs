//! The search for known problems on a cluster: each probe looks at one thing that
//! users have tripped over, and names what to type.

use std::time::SystemTime;

use anyhow::Result;
use serde_json::Value;

use super::Cluster;
use super::objects::{COPIES, DEFAULT};
use super::preflight::findings;
use super::scaffold::{CTLOG, FULCIO, REKOR};
use super::status::{COMPONENTS, homes};
use super::trust::CONFIG_MAP;
use crate::exec::output_of;
use crate::fail::not_so;
use crate::preflight::Check;
use crate::problems;
use crate::words;

/// How far the clocks of a node and of this machine may be apart: certificates are
/// valid from the moment they are made.
const SKEW_SECONDS: u64 = 10;

/// What the kernel must allow for several clusters on one machine.
const INOTIFY: [(&str, u64); 2] = [("max_user_watches", 65_536), ("max_user_instances", 256)];

impl Cluster {
    /// What the cluster itself shows.
    pub(super) fn probes(&self) -> Vec<Check> {
        findings(&[
            ("anonymous", &|| self.anonymous()),
            ("clocks", &|| self.clocks()),
            ("pods", &|| self.pods()),
            ("secrets", &|| self.secrets()),
            ("trees", &|| self.trees()),
            ("sct-key", &|| self.sct_key()),
            ("trust", &|| self.trust()),
            ("logs", &|| self.server_logs()),
        ])
    }

    /// Whether somebody without a token may read the discovery document: a Fulcio that
    /// asks without one needs it, and so does one outside.
    fn anonymous(&self) -> Result<Check> {
        let check = Check::new(
            "anonymous",
            "reading of the discovery document, for a Fulcio outside",
        );
        let binding = self.find("", "clusterrolebinding/oidc-reviewer")?;
        Ok(match binding {
            Some(_) => check.found("allowed by the binding oidc-reviewer"),
            None => {
                let said = "not allowed: there is no binding oidc-reviewer";
                let check = check.missing(said, "cargo xtask oidc-reviewer");
                if self.settings()?.anonymous {
                    check
                } else {
                    check.optional("the Fulcio of this cluster asks with a token of its own")
                }
            }
        })
    }

    fn clocks(&self) -> Result<Check> {
        let check = Check::new(
            "clocks",
            format!("within {SKEW_SECONDS} seconds of this machine"),
        );
        // The kubelet renews this every ten seconds; the API server's clock would do,
        // but kubectl does not show it.
        let before = SystemTime::now();
        let leases = self.read(words![
            "get",
            "leases",
            "--namespace=kube-node-lease",
            "--output=json"
        ])?;
        let renewed = leases["items"].as_array().into_iter().flatten();
        let renewed = renewed.filter_map(|lease| {
            let name = lease["metadata"]["name"].as_str()?.to_owned();
            let at = humantime::parse_rfc3339_weak(lease["spec"]["renewTime"].as_str()?).ok()?;
            Some((name, at))
        });
        let mut apart = Vec::new();
        for (node, at) in renewed {
            let ahead = at.duration_since(before).map_or(0, |ahead| ahead.as_secs());
            // A lease is renewed every ten seconds and may be as old as that.
            let behind = before
                .duration_since(at)
                .map_or(0, |behind| behind.as_secs().saturating_sub(10));
            if ahead.max(behind) > SKEW_SECONDS {
                let way = if ahead > 0 { "ahead of" } else { "behind" };
                apart.push(format!(
                    "{node} is {} s {way} this machine, or does not report",
                    ahead.max(behind)
                ));
            }
        }
        Ok(if apart.is_empty() {
            check.found("they agree")
        } else {
            check.missing(
                apart.join("; "),
                "set the clocks; a minikube that slept is set by: minikube stop, then cargo xtask minikube",
            )
        })
    }

    fn pods(&self) -> Result<Check> {
        let check = Check::new("pods", "all that were started run");
        let mut troubles = Vec::new();
        for namespace in homes() {
            for fail in self.troubles_now(namespace)? {
                troubles.push((format!("{namespace}: {}", fail.what), fail.hints));
            }
        }
        Ok(gathered(check, "they do", troubles))
    }

    fn secrets(&self) -> Result<Check> {
        let check = Check::new(
            "secrets",
            "the keys, and their public parts where images are signed",
        );
        let mut missing = Vec::new();
        for copy in COPIES {
            if self
                .find(copy.namespace, &format!("secret/{}", copy.secret))?
                .is_none()
            {
                let what = format!("{}/{} is missing", copy.namespace, copy.secret);
                missing.push((what, vec!["cargo xtask scaffold --with-needs".to_owned()]));
            }
        }
        if missing.is_empty() && !self.copies_are_current()? {
            let what = format!("the copies in {DEFAULT} are missing or old");
            missing.push((what, vec!["cargo xtask copy-secrets".to_owned()]));
        }
        Ok(gathered(check, "they are there", missing))
    }

    fn trees(&self) -> Result<Check> {
        let check = Check::new("trees", "a Merkle tree for each log");
        let mut missing = Vec::new();
        for (namespace, map) in [
            (REKOR.namespace, "rekor-config"),
            (CTLOG.namespace, "ctlog-config"),
        ] {
            if !self
                .lacking(namespace, &format!("configmap/{map}:treeID"))?
                .is_empty()
            {
                let what =
                    format!("{namespace}/{map} names no tree: its Job createtree has not run");
                let look = format!(
                    "see why: kubectl --namespace {namespace} get jobs,pods; then cargo xtask scaffold --from scaffold"
                );
                missing.push((what, vec![look]));
            }
        }
        Ok(gathered(check, "they are there", missing))
    }

    /// The CT log refuses certificates of an authority that it does not know: its
    /// configuration holds Fulcio's certificate as it was.
    fn sct_key(&self) -> Result<Check> {
        let check = Check::new("sct-key", "a CT log that knows this Fulcio");
        let part = |namespace: &str, name: &str, key: &str| -> Result<Option<String>> {
            let secret = self.find(namespace, &format!("secret/{name}"))?;
            Ok(secret.and_then(|secret| Some(secret["data"][key].as_str()?.to_owned())))
        };
        let fulcio = part(FULCIO.namespace, "fulcio-server-secret", "cert")?;
        let secret = self.find(CTLOG.namespace, "secret/ctlog-secret")?;
        let known = |secret: &Value, chain: &str| {
            let data = secret["data"].as_object();
            data.is_some_and(|data| data.values().any(|value| value == chain))
        };
        Ok(match (fulcio, secret) {
            (Some(chain), Some(secret)) if known(&secret, &chain) => check.found("it does"),
            (Some(_), Some(_)) => check.missing(
                "its configuration holds another certificate than Fulcio's",
                "have it added: cargo xtask scaffold --from scaffold, then kubectl --namespace ctlog-system rollout restart deployment/ctlog",
            ),
            _ => check.missing("there is no configuration of it yet", "cargo xtask scaffold"),
        })
    }

    fn trust(&self) -> Result<Check> {
        let check = Check::new("trust", "a trusted root that fits the keys");
        let map = self.find(DEFAULT, &format!("configmap/{CONFIG_MAP}"))?;
        Ok(match map {
            None => check.missing(
                format!("there is no ConfigMap {CONFIG_MAP}"),
                "cargo xtask trust",
            ),
            Some(_) if self.trust_is_current()? => check.found("it does"),
            Some(_) => check.missing(
                "the keys have changed, or its files are gone",
                "cargo xtask trust",
            ),
        })
    }

    /// What the servers print, where the table of known problems explains it.
    fn server_logs(&self) -> Result<Check> {
        let check = Check::new("logs", "no known problem in what the servers print");
        let mut found: Vec<(String, Vec<String>)> = Vec::new();
        for (name, namespace, deployment) in COMPONENTS {
            let words = words![
                "logs",
                "--namespace",
                namespace,
                "--tail=40",
                "--since=10m",
                format!("deployment/{deployment}")
            ];
            let Ok(text) = output_of(&self.ask(words)?, None) else {
                continue;
            };
            for line in text.lines() {
                let fail = problems::explain(not_so("").tail(vec![line.to_owned()]));
                let what = format!("{name}: {}", fail.what);
                if fail.known && !found.iter().any(|(known, _)| *known == what) {
                    found.push((what, fail.hints));
                }
            }
        }
        // A server that came up before what it needs has said so.
        Ok(gathered(check, "none", found).optional("it may be over"))
    }
}

/// One check of several findings.
fn gathered(check: Check, good: &str, findings: Vec<(String, Vec<String>)>) -> Check {
    if findings.is_empty() {
        return check.found(good);
    }
    let (what, hints): (Vec<String>, Vec<Vec<String>>) = findings.into_iter().unzip();
    let mut hints = hints.concat();
    hints.dedup();
    check.missing(what.join("; "), hints.join("; "))
}

/// Too few watches make a container runtime on this machine fail with "too many
/// open files".
pub(super) fn inotify() -> Check {
    let check = Check::new("inotify", "enough watches for a cluster on this machine");
    for (name, least) in INOTIFY {
        let file = format!("/proc/sys/fs/inotify/{name}");
        let Ok(text) = std::fs::read_to_string(&file) else {
            return check.found("not limited here");
        };
        let has: u64 = text.trim().parse().unwrap_or(u64::MAX);
        if has < least {
            return check
                .missing(
                    format!("fs.inotify.{name} is {has}"),
                    format!("sudo sysctl fs.inotify.{name}={least}"),
                )
                .optional("it matters where the cluster is on this machine and shares its kernel");
        }
    }
    check.found("enough")
}
