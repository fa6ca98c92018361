//! How the cluster's servers are: one row each, measured now.

use anyhow::Result;
use serde_json::Value;

use super::Cluster;
use super::forwards::FORWARDS;
use super::objects::DEFAULT;
use crate::local::{platform, process};
use crate::parallel;
use crate::target::{Component, ComponentState};

/// What an installation consists of: name, namespace, deployment.
pub const COMPONENTS: [(&str, &str, &str); 8] = [
    ("cert-manager", "cert-manager", "cert-manager"),
    ("fulcio", "fulcio-system", "fulcio-server"),
    ("ctlog", "ctlog-system", "ctlog"),
    ("rekor", "rekor-system", "rekor-server"),
    (
        "trillian-log-server",
        "trillian-system",
        "trillian-logserver",
    ),
    (
        "trillian-log-signer",
        "trillian-system",
        "trillian-logsigner",
    ),
    ("trillian-database", "trillian-system", "trillian-mysql"),
    ("registry", DEFAULT, "registry"),
];

/// What the name of a forward begins with.
pub(super) const FORWARD: &str = "forward-";

/// The namespaces of the components, each once.
pub fn homes() -> Vec<&'static str> {
    let mut all: Vec<_> = COMPONENTS.map(|(_, namespace, _)| namespace).into();
    all.dedup();
    all
}

impl Cluster {
    /// How every server is.
    pub(super) fn servers(&self) -> Result<Vec<Component>> {
        let namespaces = homes();
        let looked: Vec<(&str, Vec<Value>)> = parallel::each(&namespaces, |namespace| {
            let all = self.find(namespace, "deployments")?.unwrap_or_default();
            Ok((
                *namespace,
                all["items"].as_array().cloned().unwrap_or_default(),
            ))
        })
        .into_iter()
        .collect::<Result<_>>()?;
        let mut all = Vec::new();
        for (name, namespace, deployment) in COMPONENTS {
            let mut found = looked
                .iter()
                .filter(|(of, _)| *of == namespace)
                .flat_map(|(_, deployments)| deployments);
            let found = found.find(|object| object["metadata"]["name"] == *deployment);
            // Another cert-manager than the workshop's may be elsewhere.
            if found.is_none() && name == "cert-manager" && self.has_cert_manager()? {
                continue;
            }
            all.push(component(name, namespace, found));
        }
        Ok(all)
    }

    /// How every forward is that was started and not ended.
    pub(super) fn forwards(&self) -> Result<Vec<Component>> {
        let mut all = Vec::new();
        for forward in FORWARDS {
            let Some(record) = process::record(&self.dir, forward.name)? else {
                continue;
            };
            let address = format!("127.0.0.1:{}", self.forward_port(forward)?);
            let alive = record.alive();
            let answers = alive && process::answers(&format!("tcp://{address}"));
            all.push(Component {
                name: format!("{FORWARD}{}", forward.name),
                state: ComponentState::of(true, alive, answers),
                address,
                pid: alive.then_some(record.pid),
                version: None,
                since: alive.then(|| record.since.clone()),
                memory_kib: alive.then(|| platform::memory(record.pid)).flatten(),
                log_size: None,
                certificate_ends: None,
                warning: None,
            });
        }
        Ok(all)
    }
}

fn component(name: &str, namespace: &str, deployment: Option<&Value>) -> Component {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let up = deployment.is_some_and(|deployment| {
        let status = &deployment["status"];
        status["availableReplicas"].as_u64().unwrap_or(0) > 0
    });
    let image = deployment.and_then(|deployment| {
        text(&deployment["spec"]["template"]["spec"]["containers"][0]["image"])
    });
    Component {
        name: name.to_owned(),
        state: ComponentState::of(deployment.is_some(), deployment.is_some(), up),
        address: namespace.to_owned(),
        pid: None,
        version: image.as_deref().and_then(tag),
        since: deployment.and_then(|deployment| text(&deployment["metadata"]["creationTimestamp"])),
        memory_kib: None,
        log_size: None,
        certificate_ends: None,
        warning: None,
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
