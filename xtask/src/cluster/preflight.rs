//! What a cluster target needs from the machine and from the cluster, all findings
//! at once.

use anyhow::Result;
use serde_json::Value;

use super::Cluster;
use super::plans::{ISSUER, NAMESPACES};
use crate::exec::output_of;
use crate::fail::{Fail, not_so};
use crate::parallel;
use crate::plan::{Command, Word};
use crate::preflight::{Check, numbers};
use crate::target::TargetKind;
use crate::words;

/// What install must be allowed to do: a verb and a resource.
const RIGHTS: [(&str, &str); 5] = [
    ("create", "namespaces"),
    ("create", "clusterrolebindings.rbac.authorization.k8s.io"),
    ("create", "customresourcedefinitions.apiextensions.k8s.io"),
    ("create", "deployments.apps"),
    ("create", "secrets"),
];

impl Cluster {
    /// Whether the minikube of this profile runs. One that cannot say does not.
    ///
    /// # Errors
    /// Where no profile is known.
    pub fn minikube_runs(&self) -> Result<bool> {
        let said = self.minikube(words!["profile", "list", "--output=json"])?;
        let Ok(text) = output_of(&said, None) else {
            return Ok(false);
        };
        let said: Value = serde_json::from_str(&text).unwrap_or_default();
        let name = &self.settings()?.context;
        let profiles = said["valid"].as_array().into_iter().flatten();
        Ok(profiles
            .filter(|profile| profile["Name"] == **name)
            .any(|profile| {
                // "OK" since minikube 1.32, "Running" before.
                let status = profile["Status"].as_str().unwrap_or_default();
                ["OK", "Running"].contains(&status)
            }))
    }

    /// Fails where the API server's discovery document is not one that Fulcio
    /// believes.
    ///
    /// # Errors
    /// Exit status 1 where it is not, with what changes it.
    pub fn check_discovery(&self) -> Result<()> {
        let check = self.issuer_check(&self.discovery()?)?;
        if check.ok {
            return Ok(());
        }
        let fail = not_so(format!(
            "Fulcio will not believe this cluster's tokens: {}",
            check.found
        ));
        Err(check.hint.into_iter().fold(fail, Fail::hint).into())
    }

    fn issuer_check(&self, discovery: &Value) -> Result<Check> {
        let text = |name: &str| discovery[name].as_str().unwrap_or("none").to_owned();
        let (issuer, keys) = (text("issuer"), text("jwks_uri"));
        let found = format!("{issuer}, with its keys at {keys}");
        if self.kind == TargetKind::Cluster {
            // Fulcio is configured for whatever issuer there is.
            let check = Check::new("issuer", "one that the discovery document names");
            return Ok(if issuer.starts_with("https://") {
                check.found(found)
            } else {
                check.missing(
                    found,
                    "start the API server with --service-account-issuer=https://…",
                )
            });
        }
        let check = Check::new(
            "issuer",
            format!("{ISSUER}, with its keys on the same host"),
        );
        if issuer == ISSUER && host(&keys) == host(&issuer) {
            return Ok(check.found(found));
        }
        // `minikube start` ignores options for a profile that exists.
        Ok(check.missing(
            found,
            format!(
                "make it anew: minikube --profile={} delete, then cargo xtask minikube",
                self.settings()?.context
            ),
        ))
    }

    pub(super) fn look_at_cluster(&self) -> Result<Vec<Check>> {
        let minimum = self.pins()?.kubernetes.minimum;
        let check = Check::new("cluster", format!("Kubernetes {minimum} or newer"));
        let version = self
            .kubectl(words!["version", "--output=json"])
            .and_then(|command| output_of(&command, None));
        let said: Value = match version {
            Ok(text) => serde_json::from_str(&text).unwrap_or_default(),
            Err(error) => {
                let fail = Fail::from_error(&error);
                let found = fail.tail.last().cloned().unwrap_or(fail.what);
                let hint = fail.hints.first().cloned();
                let other = "see whether it runs, and which there are: kubectl config get-contexts";
                return Ok(vec![
                    check.missing(found, hint.unwrap_or_else(|| other.into())),
                ]);
            }
        };
        let version = said["serverVersion"]["gitVersion"]
            .as_str()
            .unwrap_or("no version");
        let found = format!("{version} ({})", self.settings()?.context);
        let enough = numbers(version.trim_start_matches('v')) >= numbers(&minimum);
        let mut checks = vec![if enough {
            check.found(found)
        } else {
            check.missing(
                found,
                "use a newer cluster, for example: cargo xtask minikube",
            )
        }];
        // Each asks the cluster once, all at the same time. One that may not ask is
        // a finding, and not the end of the others.
        let looks: [Probe<'_>; 5] = [
            ("rights", &|| self.rights()),
            ("issuer", &|| self.issuer_check(&self.discovery()?)),
            ("storage", &|| self.storage()),
            ("nodes", &|| self.nodes()),
            ("names", &|| self.free_namespaces()),
        ];
        checks.extend(findings(&looks));
        Ok(checks)
    }

    fn rights(&self) -> Result<Check> {
        let check = Check::new("rights", "to create what the workshop consists of");
        // One question about everything; only where the answer is no, which.
        let may = |verb: &str, resource: &str| -> Result<bool> {
            let words = words!["auth", "can-i", verb, resource, "--all-namespaces"];
            Ok(output_of(&self.ask(words)?, None).is_ok())
        };
        if may("*", "*")? {
            return Ok(check.found("all"));
        }
        for (verb, resource) in RIGHTS {
            if !may(verb, resource)? {
                let what = format!("you may not {verb} {resource}");
                return Ok(check.missing(
                    what,
                    "ask whoever runs the cluster, or use one of your own: cargo xtask minikube",
                ));
            }
        }
        Ok(check.found("enough"))
    }

    fn storage(&self) -> Result<Check> {
        let check = Check::new("storage", "a default StorageClass, for Trillian's database");
        let classes = self.read(words!["get", "storageclasses", "--output=json"])?;
        let classes = classes["items"].as_array().into_iter().flatten();
        let mut defaults = classes.filter(|class| {
            class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"]
                == "true"
        });
        Ok(match defaults.next() {
            Some(class) => check.found(class["metadata"]["name"].as_str().unwrap_or("one")),
            None => check.missing(
                "none: the database's volume would stay Pending",
                "mark one: kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true",
            ),
        })
    }

    /// Whether a node takes pods.
    ///
    /// # Errors
    /// Where the cluster does not answer.
    pub fn nodes(&self) -> Result<Check> {
        let check = Check::new("nodes", "one that is ready and has room");
        let nodes = self.read(words!["get", "nodes", "--output=json"])?;
        let nodes = nodes["items"].as_array().cloned().unwrap_or_default();
        let mut troubles = Vec::new();
        for node in &nodes {
            let name = node["metadata"]["name"].as_str().unwrap_or("a node");
            for condition in node["status"]["conditions"]
                .as_array()
                .into_iter()
                .flatten()
            {
                let kind = condition["type"].as_str().unwrap_or_default();
                let is_true = condition["status"] == "True";
                if (kind == "Ready") != is_true {
                    let not = if kind == "Ready" {
                        "is not ready"
                    } else {
                        "has"
                    };
                    let what = if kind == "Ready" { "" } else { kind };
                    let message = condition["message"].as_str().unwrap_or_default();
                    troubles.push((
                        name,
                        format!("{name} {not} {what}: {message}").replace(" :", ":"),
                    ));
                }
            }
        }
        let healthy = nodes.iter().any(|node| {
            !troubles
                .iter()
                .any(|(name, _)| node["metadata"]["name"] == **name)
        });
        let said: Vec<_> = troubles.into_iter().map(|(_, text)| text).collect();
        Ok(if healthy {
            let names = nodes
                .iter()
                .filter_map(|node| node["metadata"]["name"].as_str());
            check.found(names.collect::<Vec<_>>().join(", "))
        } else {
            check.missing(
                if said.is_empty() { "none".to_owned() } else { said.join("; ") },
                "see why: kubectl describe nodes; a disk that is full is emptied of images by: minikube ssh -- docker system prune",
            )
        })
    }

    fn free_namespaces(&self) -> Result<Check> {
        let check = Check::new(
            "names",
            "no namespace of the workshop that is being deleted",
        );
        let all = self.namespaces()?;
        let ending = all.iter().filter(|(name, phase)| {
            phase == "Terminating"
                && (NAMESPACES.contains(&name.as_str()) || name == "cert-manager")
        });
        let ending: Vec<&str> = ending.map(|(name, _)| name.as_str()).collect();
        Ok(match ending.first() {
            None => check.found("none"),
            Some(first) => check.missing(
                format!("still being deleted: {}", ending.join(", ")),
                format!("wait, or see what holds it: kubectl get namespace {first} --output=yaml, under conditions"),
            ),
        })
    }
}

/// What a probe is called, and the probe.
pub type Probe<'a> = (&'static str, &'a (dyn Fn() -> Result<Check> + Sync));

/// Runs probes side by side. One that cannot look is a finding as well.
pub fn findings(probes: &[Probe<'_>]) -> Vec<Check> {
    let found = parallel::each(probes, |(_, probe)| probe());
    let found = found.into_iter().zip(probes).map(|(looked, (name, _))| {
        looked.unwrap_or_else(|error| {
            let fail = Fail::from_error(&error);
            let said = fail.tail.last().filter(|_| !fail.known).cloned();
            let hint = fail.hints.join("; ");
            Check::new(name, "an answer").missing(said.unwrap_or(fail.what), hint)
        })
    });
    found.collect()
}

/// The host and port of a URL.
pub fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

pub(super) fn kubectl(minimum: &str) -> Check {
    tool(
        "kubectl",
        words!["version", "--client", "--output=json"],
        |said| {
            said["clientVersion"]["gitVersion"]
                .as_str()
                .map(str::to_owned)
        },
        minimum,
        "https://kubernetes.io/docs/tasks/tools/",
    )
}

pub(super) fn minikube(minimum: &str) -> Check {
    tool(
        "minikube",
        words!["version", "--output=json"],
        |said| said["minikubeVersion"].as_str().map(str::to_owned),
        minimum,
        "https://minikube.sigs.k8s.io/docs/start/",
    )
}

/// A program that says its version in JSON.
fn tool(
    name: &'static str,
    words: Vec<Word>,
    version: impl Fn(&Value) -> Option<String>,
    minimum: &str,
    link: &str,
) -> Check {
    let said = |text: &str| version(&serde_json::from_str(text).unwrap_or_default());
    program(name, words, said, minimum, link)
}

/// Helm has no JSON for it.
pub(super) fn helm(minimum: &str) -> Check {
    let words = words!["version", "--template={{.Version}}"];
    let said = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    program(
        "helm",
        words,
        said,
        minimum,
        "https://helm.sh/docs/intro/install/",
    )
}

fn program(
    name: &'static str,
    words: Vec<Word>,
    version: impl Fn(&str) -> Option<String>,
    minimum: &str,
    link: &str,
) -> Check {
    let check = Check::new(name, format!("{minimum} or newer"));
    let how = format!("install {name} {minimum} or newer: {link}");
    let Ok(path) = which::which(name) else {
        return check.missing("not found on the PATH", how);
    };
    let command = Command::new([words![name], words].concat());
    let text = output_of(&command, None).unwrap_or_default();
    let said = version(&text).unwrap_or_else(|| "no version".to_owned());
    let found = format!("{said} at {}", path.display());
    let has = numbers(said.trim_start_matches('v'));
    if has.is_some() && has >= numbers(minimum) {
        check.found(found)
    } else {
        check.missing(found, how)
    }
}

pub(super) fn curl() -> Check {
    let check = Check::new("curl", "any version");
    match which::which("curl") {
        Ok(path) => check.found(path.display().to_string()),
        Err(_) => check.missing(
            "not found on the PATH",
            "install curl with the system's package manager, or do without the ingress: --ingress=none",
        ),
    }
}
