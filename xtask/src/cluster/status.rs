//! How the cluster's servers are: one row each, measured now.

use anyhow::Result;

use super::forwards::leads;
use super::object::Object;
use super::servers::{CERT_MANAGER, ClusterServer, TUF, forwarded, namespaces, servers};
use super::{Cluster, cert_manager};
use crate::entry::Versions;
use crate::local::{platform, process};
use crate::parallel;
use crate::target::{Component, ComponentState};

/// What the name of a forward begins with.
pub(super) const FORWARD: &str = "forward-";

impl Cluster {
    /// How every server is.
    pub(super) fn servers(&self) -> Result<Vec<Component>> {
        let (kubectl, rekor) = (self.kubectl()?, self.settings()?.rekor);
        let namespaces = namespaces(rekor);
        let looked = parallel::each(&namespaces, |namespace| {
            kubectl.list(namespace, "deployments,pods")
        });
        let looked: Vec<Vec<Object>> = looked.into_iter().collect::<Result<_>>()?;
        let mut all = Vec::new();
        for server in servers(rekor) {
            let home = namespaces.iter().position(|name| *name == server.namespace);
            let there = home.map_or(&[][..], |home| &looked[home]);
            let named = |object: &&Object| object.metadata.name == server.deployment;
            let found = there.iter().find(named);
            // Another cert-manager than the workshop's may be elsewhere.
            let is_elsewhere = || cert_manager::is_there(&kubectl);
            if found.is_none() && server.name == CERT_MANAGER.name && is_elsewhere()? {
                continue;
            }
            let mut component = component(server, found, there);
            if server.name == TUF.name {
                component.warning = self.publication_warning();
            }
            all.push(component);
        }
        Ok(all)
    }

    /// How every forward is that was started and not ended.
    pub(super) fn forwards(&self) -> Result<Vec<Component>> {
        let forwards = self.port_forwards()?;
        let mut all = Vec::new();
        // Those that were opened before a version of Rekor went are shown as well.
        for server in forwarded(Versions::Both) {
            let Some(record) = process::record(&self.dir, server.name)? else {
                continue;
            };
            let forward = forwards.persistent(server);
            let (address, alive) = (forward.address(), record.alive());
            let answers = alive && leads(forward.port);
            all.push(Component {
                pid: alive.then_some(record.pid),
                since: alive.then(|| record.since.clone()),
                memory_kib: alive.then(|| platform::memory(record.pid)).flatten(),
                ..bare(
                    format!("{FORWARD}{}", server.name),
                    ComponentState::of(true, alive, answers),
                    address,
                )
            });
        }
        Ok(all)
    }
}

/// A component of which nothing more is known.
fn bare(name: String, state: ComponentState, address: String) -> Component {
    Component {
        name,
        state,
        address,
        pid: None,
        version: None,
        since: None,
        restarts: None,
        memory_kib: None,
        log_size: None,
        certificate_ends: None,
        warning: None,
    }
}

/// A server, whose Deployment and pods are among these objects.
fn component(server: &ClusterServer, deployment: Option<&Object>, objects: &[Object]) -> Component {
    let up = deployment.is_some_and(|deployment| deployment.status.available_replicas > 0);
    let state = ComponentState::of(deployment.is_some(), deployment.is_some(), up);
    let containers = deployment.map(|deployment| &deployment.spec.template.spec.containers);
    let image = containers.and_then(|containers| containers.first()?.image.as_deref());
    let pod = newest_pod(server.deployment, objects);
    Component {
        version: image.and_then(tag),
        since: pod.and_then(|pod| pod.metadata.creation_timestamp.clone()),
        restarts: pod.map(|pod| pod.containers().map(|one| one.restart_count).sum()),
        ..bare(server.name.to_owned(), state, server.namespace.to_owned())
    }
}

/// The newest pod of a Deployment, of those that stay.
fn newest_pod<'a>(deployment: &str, objects: &'a [Object]) -> Option<&'a Object> {
    let is_its = |pod: &&Object| {
        let hash = pod.metadata.labels.get("pod-template-hash");
        let named = hash.map(|hash| format!("{deployment}-{hash}-"));
        named.is_some_and(|named| pod.metadata.name.starts_with(&named))
    };
    let pods = objects.iter().filter(|object| object.kind == "Pod");
    let pods = pods.filter(|pod| pod.metadata.deletion_timestamp.is_none());
    pods.filter(is_its)
        .max_by_key(|pod| pod.metadata.creation_timestamp.as_deref())
}

/// The tag of an image, where it has one.
fn tag(image: &str) -> Option<String> {
    let name = image.split('@').next()?;
    let (_, tag) = name.rsplit('/').next()?.split_once(':')?;
    Some(tag.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::servers::CTLOG;

    /// A pod that is going away, and that of another server, say nothing of this one.
    #[test]
    fn the_age_is_that_of_the_newest_pod() {
        let object = |kind: &str, name: &str, made: &str| {
            json!({
                "kind": kind,
                "metadata": {
                    "name": name,
                    "creationTimestamp": made,
                    "labels": {"pod-template-hash": "5d"},
                },
                "status": {"containerStatuses": [{"name": "a", "restartCount": 3}]},
            })
        };
        let mut going = object("Pod", "ctlog-5d-c", "2026-01-05T00:00:00Z");
        going["metadata"]["deletionTimestamp"] = json!("2026-01-06T00:00:00Z");
        let objects = [
            object("Deployment", "ctlog", "2026-01-01T00:00:00Z"),
            object("Pod", "ctlog-5d-a", "2026-01-02T00:00:00Z"),
            object("Pod", "ctlog-5d-b", "2026-01-03T00:00:00Z"),
            object("Pod", "ctlog-tiles-5d-a", "2026-01-04T00:00:00Z"),
            going,
        ];
        let objects = objects.map(Object::from_json);
        let found = component(&CTLOG, objects.first(), &objects);
        assert_eq!(found.since.as_deref(), Some("2026-01-03T00:00:00Z"));
        assert_eq!(found.restarts, Some(3));
    }

    #[test]
    fn a_tag_is_told_from_a_port_and_a_digest() {
        assert_eq!(tag("host:5000/a/b:v1@sha256:00").as_deref(), Some("v1"));
        assert_eq!(tag("host:5000/a/b@sha256:00"), None);
        assert_eq!(tag("a"), None);
    }
}
