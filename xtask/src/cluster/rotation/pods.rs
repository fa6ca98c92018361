//! The pods of a server whose key turns: those that began with the key are marked, so that
//! others take the place of those that did not.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cluster::conditions::{Condition, ConditionKind, all_hold};
use crate::cluster::kubectl::Kubectl;
use crate::cluster::object::Object;
use crate::cluster::servers::ClusterServer;
use crate::cluster::single_writer::SingleWriter;
use crate::exec::output_of;
use crate::words;

/// Marks the pods of a server, which makes new ones where they had another mark.
pub(super) fn mark(
    kubectl: &Kubectl,
    server: &ClusterServer,
    mark: &str,
    value: &str,
) -> Result<()> {
    let template = json!({"metadata": {"annotations": {mark: value}}});
    change(kubectl, server, &json!({"template": template}))
}

/// Whether the pods of a server have this mark, and are up.
pub(super) fn is_marked(
    kubectl: &Kubectl,
    server: &ClusterServer,
    mark: &str,
    value: &str,
) -> Result<bool> {
    let name = format!("deployment/{}", server.deployment);
    let deployment = kubectl.get(server.namespace, &name)?;
    let has = |deployment: Object| {
        let annotations = deployment.spec.template.metadata.annotations;
        annotations.get(mark).is_some_and(|found| found == value)
    };
    let up = Condition::new(ConditionKind::Deployment, server.deployment);
    Ok(deployment.is_some_and(has) && all_hold(kubectl, server.namespace, &[up])?)
}

/// Ends the pods of a log, and waits until they are gone: as long as it has no pod, its
/// key and its directory can change one after the other.
pub(super) fn end(kubectl: &Kubectl, log: SingleWriter) -> Result<()> {
    let server = log.server();
    log.set(kubectl)?;
    change(kubectl, server, &json!({"replicas": 0}))?;
    let selector = format!("--selector=app.kubernetes.io/name={}", server.deployment);
    let mut wait = words!["wait", "--for=delete", "pods", selector];
    wait.extend(words!["--namespace", server.namespace, "--timeout=120s"]);
    output_of(&kubectl.command(wait), None).map(drop)
}

/// Begins a log in a directory of its own in the volume that its server has, with pods of
/// this mark.
pub(super) fn begin(
    kubectl: &Kubectl,
    log: SingleWriter,
    (mark, value): (&str, &str),
    directory: &str,
) -> Result<()> {
    let server = log.server();
    // The volume is mounted there by the chart.
    let mounted = json!([{"mountPath": "/storage", "subPath": directory}]);
    let container = json!({"name": server.deployment, "volumeMounts": mounted});
    let template = json!({
        "metadata": {"annotations": {mark: value}},
        "spec": {"containers": [container]},
    });
    change(
        kubectl,
        server,
        &json!({"replicas": 1, "template": template}),
    )
}

/// Changes the description of a Deployment. What no chart says, helm leaves alone.
fn change(kubectl: &Kubectl, server: &ClusterServer, spec: &Value) -> Result<()> {
    let deployment = format!("deployment/{}", server.deployment);
    kubectl.patch_lists(server.namespace, &deployment, &json!({ "spec": spec }))
}
