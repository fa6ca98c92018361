//! What a cluster must have before anything is installed on it.

use anyhow::Result;
use serde_json::Value;

use super::{FindingProbe, look_at};
use crate::cluster::discovery::Discovery;
use crate::cluster::kubectl::Kubectl;
use crate::cluster::object::Object;
use crate::cluster::{Cluster, namespaces};
use crate::exec::output_of;
use crate::fail::Fail;
use crate::preflight::{Finding, numbers};
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
    /// Whether the cluster answers, and what it has.
    pub(in crate::cluster) fn look_at_cluster(&self) -> Result<Vec<Finding>> {
        let minimum = self.pins()?.kubernetes.minimum;
        let finding = Finding::new("cluster", format!("Kubernetes {minimum} or newer"));
        let version = self.kubectl().and_then(|kubectl| {
            let command = kubectl.command(words!["version", "--output=json"]);
            output_of(&command, None)
        });
        let said = match version {
            Ok(text) => text,
            Err(error) => return Ok(vec![unreachable(finding, Fail::from_error(&error))]),
        };
        let said: Value = serde_json::from_str(&said).unwrap_or_default();
        let version = said["serverVersion"]["gitVersion"].as_str();
        let version = version.unwrap_or("no version");
        let context = &self.settings()?.context;
        let found = format!("{version} ({context})");
        let enough = numbers(version.trim_start_matches('v')) >= numbers(&minimum);
        let mut findings = vec![if enough {
            finding.found(found)
        } else {
            let other = "use a newer cluster, for example: cargo xtask minikube";
            finding.missing(found, other)
        }];
        let kubectl = self.kubectl()?;
        // Each asks the cluster once, all at the same time. One that may not ask is
        // a finding, and not the end of the others.
        let looks: [FindingProbe<'_>; 5] = [
            ("rights", &|| Ok(rights(&kubectl))),
            ("issuer", &|| {
                Ok(Discovery::of(&kubectl)?.check(self.kind, context))
            }),
            ("storage", &|| storage(&kubectl)),
            ("nodes", &|| nodes(&kubectl)),
            ("names", &|| free_namespaces(&kubectl)),
        ];
        findings.extend(look_at(&looks));
        Ok(findings)
    }
}

fn unreachable(finding: Finding, fail: Fail) -> Finding {
    let found = fail.tail.last().cloned().unwrap_or(fail.what);
    let hint = fail.hints.into_iter().next();
    let other = "see whether it runs, and which there are: kubectl config get-contexts";
    finding.missing(found, hint.unwrap_or_else(|| other.to_owned()))
}

fn rights(kubectl: &Kubectl) -> Finding {
    let finding = Finding::new("rights", "to create what the workshop consists of");
    // One question about everything; only where the answer is no, which.
    let may = |verb: &str, resource: &str| {
        let words = words!["auth", "can-i", verb, resource, "--all-namespaces"];
        kubectl.ask(words).is_ok()
    };
    if may("*", "*") {
        return finding.found("all");
    }
    for (verb, resource) in RIGHTS {
        if !may(verb, resource) {
            let what = format!("you may not {verb} {resource}");
            return finding.missing(
                what,
                "ask whoever runs the cluster, or use one of your own: cargo xtask minikube",
            );
        }
    }
    finding.found("enough")
}

fn storage(kubectl: &Kubectl) -> Result<Finding> {
    let finding = Finding::new(
        "storage",
        "a default StorageClass, for the volumes of the logs and the registry",
    );
    let classes = kubectl.get_all(words!["storageclasses"])?;
    let mut defaults = classes.iter().filter(|class| {
        let annotations = &class.metadata.annotations;
        let is_default = annotations.get("storageclass.kubernetes.io/is-default-class");
        is_default.is_some_and(|value| value == "true")
    });
    Ok(match defaults.next() {
        Some(class) => finding.found(&*class.metadata.name),
        None => finding.missing(
            "none: the volumes would stay Pending",
            "mark one: kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true",
        ),
    })
}

/// Whether a node takes pods.
fn nodes(kubectl: &Kubectl) -> Result<Finding> {
    let finding = Finding::new("nodes", "one that is ready and has room");
    let nodes = kubectl.get_all(words!["nodes"])?;
    let problems: Vec<Vec<String>> = nodes.iter().map(node_problems).collect();
    if problems.iter().any(Vec::is_empty) {
        let names: Vec<&str> = nodes.iter().map(|node| &*node.metadata.name).collect();
        return Ok(finding.found(names.join(", ")));
    }
    let said = problems.concat().join("; ");
    Ok(finding.missing(
        if said.is_empty() { "none".to_owned() } else { said },
        "see why: kubectl describe nodes; a disk that is full is emptied of images by: minikube ssh -- docker system prune",
    ))
}

/// Why a node takes no pods.
fn node_problems(node: &Object) -> Vec<String> {
    let name = &node.metadata.name;
    let conditions = node.status.conditions.iter();
    // All but `Ready` are wrong where they hold.
    let wrong =
        conditions.filter(|condition| (condition.kind == "Ready") != (condition.status == "True"));
    let tell = |condition: &crate::cluster::object::StatusCondition| {
        let message = &condition.message;
        match condition.kind.as_str() {
            "Ready" => format!("{name} is not ready: {message}"),
            kind => format!("{name} has {kind}: {message}"),
        }
    };
    wrong.map(tell).collect()
}

fn free_namespaces(kubectl: &Kubectl) -> Result<Finding> {
    let finding = Finding::new(
        "names",
        "no namespace of the workshop that is being deleted",
    );
    let ending = namespaces::ending(kubectl)?;
    Ok(match ending.first() {
        None => finding.found("none"),
        Some(first) => finding.missing(
            format!("still being deleted: {}", ending.join(", ")),
            format!("wait, or see what holds it: kubectl get namespace {first} --output=yaml, under conditions"),
        ),
    })
}
