//! How the cluster's servers are: one row each, measured now.

use anyhow::Result;

use super::object::Object;
use super::servers::{CERT_MANAGER, ClusterServer, forwarded, namespaces, servers};
use super::{Cluster, cert_manager};
use crate::entry::Versions;
use crate::local::{platform, process, wait};
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
            kubectl.list(namespace, "deployments")
        });
        let looked: Vec<Vec<Object>> = looked.into_iter().collect::<Result<_>>()?;
        let mut all = Vec::new();
        for server in servers(rekor) {
            let home = namespaces.iter().position(|name| *name == server.namespace);
            let mut there = home.map_or(&[][..], |home| &looked[home]).iter();
            let found = there.find(|object| object.metadata.name == server.deployment);
            // Another cert-manager than the workshop's may be elsewhere.
            let is_elsewhere = || cert_manager::is_there(&kubectl);
            if found.is_none() && server.name == CERT_MANAGER.name && is_elsewhere()? {
                continue;
            }
            all.push(component(server, found));
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
            let address = forwards.persistent(server).address();
            let alive = record.alive();
            let answers = alive && wait::answers(&format!("tcp://{address}"));
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
        memory_kib: None,
        log_size: None,
        certificate_ends: None,
        warning: None,
    }
}

fn component(server: &ClusterServer, deployment: Option<&Object>) -> Component {
    let up = deployment.is_some_and(|deployment| deployment.status.available_replicas > 0);
    let state = ComponentState::of(deployment.is_some(), deployment.is_some(), up);
    let containers = deployment.map(|deployment| &deployment.spec.template.spec.containers);
    let image = containers.and_then(|containers| containers.first()?.image.as_deref());
    Component {
        version: image.and_then(tag),
        since: deployment.and_then(|deployment| deployment.metadata.creation_timestamp.clone()),
        ..bare(server.name.to_owned(), state, server.namespace.to_owned())
    }
}

/// The tag of an image, where it has one.
fn tag(image: &str) -> Option<String> {
    let name = image.split('@').next()?;
    let (_, tag) = name.rsplit('/').next()?.split_once(':')?;
    Some(tag.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_told_from_a_port_and_a_digest() {
        assert_eq!(tag("host:5000/a/b:v1@sha256:00").as_deref(), Some("v1"));
        assert_eq!(tag("host:5000/a/b@sha256:00"), None);
        assert_eq!(tag("a"), None);
    }
}
