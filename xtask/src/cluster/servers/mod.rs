//! The servers of an installation, one row each: where a server runs, how it is
//! reached, what of its secrets is public, and what must hold once it is up.

mod table;

use super::conditions::Condition;
use super::helm;
use crate::fail::broken;
pub(crate) use table::{
    CERT_MANAGER, CTLOG, FULCIO, REGISTRY, REGISTRY_HOST, REKOR, TRILLIAN_DATABASE,
    TRILLIAN_SERVER, TRILLIAN_SIGNER,
};

/// A server that a chart or the workshop installs.
#[derive(Debug)]
pub(crate) struct ClusterServer {
    /// What `status` and `logs` call it, and `start` where it is forwarded.
    pub(crate) name: &'static str,
    /// What it is, for a person.
    pub(crate) title: &'static str,
    pub(crate) namespace: &'static str,
    pub(crate) deployment: &'static str,
    /// Where it is reached, if others than its neighbours use it.
    pub(crate) service: Option<Service>,
    /// The Secret with the public part of its key.
    pub(crate) public: Option<PublicPart>,
    /// Where its next key is made, while the key turns.
    pub(crate) next: Option<NextKey>,
    /// The certificate with which an ingress shows it.
    pub(crate) ingress: Option<IngressCertificate>,
    /// The ConfigMap that names its Merkle tree.
    pub(crate) tree: Option<Condition>,
    /// What must hold once it is up.
    pub(crate) ready: &'static [Condition],
}

/// The Service of a server.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
    /// What its URLs begin with, below the host.
    pub(crate) path: &'static str,
    /// The port on this machine, counted from the lowest; `None` where there is no way.
    pub(crate) offset: Option<u16>,
}

/// The certificate of an ingress.
#[derive(Debug)]
pub(crate) struct IngressCertificate {
    /// What it is, for a person.
    pub(crate) title: &'static str,
    /// Its Secret, in the namespace of the server.
    pub(crate) secret: &'static str,
    /// What must hold once it is made.
    pub(crate) ready: [Condition; 2],
}

/// A part of a Secret that is copied to the namespace `default`, so that a signer there need not
/// read the namespaces of the servers.
#[derive(Debug)]
pub(crate) struct PublicPart {
    /// The Secret, in the namespace of the server.
    pub(crate) secret: &'static str,
    /// The key of the public part.
    pub(crate) key: &'static str,
    /// The name of the copy.
    pub(crate) copy: &'static str,
    /// The key in the copy.
    pub(crate) as_key: &'static str,
}

/// The key that takes the place of a server's: it is made in a Secret of its own, and
/// trusted, before the server has it.
#[derive(Debug)]
pub(crate) struct NextKey {
    /// The Secret, in the namespace of the server. A Certificate that makes it has this
    /// name as well.
    pub(crate) secret: &'static str,
    /// The key of the public part.
    pub(crate) key: &'static str,
    /// What makes it.
    pub(crate) maker: Maker,
    /// The list of the trusted root in which the key is, if it is in one.
    pub(crate) list: Option<&'static str>,
}

/// What makes a key.
#[derive(Debug)]
pub(crate) enum Maker {
    /// cert-manager, by this manifest of the repository.
    Certificate(&'static str),
    /// A Job of this name in the release scaffold, run for another Secret.
    Job(&'static str),
}

impl PublicPart {
    /// The name of the copy of the next key's public part.
    pub(crate) fn next_copy(&self) -> String {
        format!("{}-next", self.copy)
    }
}

/// All servers.
pub(crate) static SERVERS: [&ClusterServer; 8] = [
    &CERT_MANAGER,
    &FULCIO,
    &CTLOG,
    &REKOR,
    &TRILLIAN_SERVER,
    &TRILLIAN_SIGNER,
    &TRILLIAN_DATABASE,
    &REGISTRY,
];

/// The logs, which stand on Trillian.
pub(crate) static LOGS: [&ClusterServer; 2] = [&REKOR, &CTLOG];

/// The namespaces of `deploy/namespaces.yml`.
pub static NAMESPACES: [&str; 5] = [
    helm::SCAFFOLD.namespace,
    FULCIO.namespace,
    CTLOG.namespace,
    REKOR.namespace,
    TRILLIAN_DATABASE.namespace,
];

/// The namespaces of all servers, each once.
pub(crate) fn namespaces() -> Vec<&'static str> {
    let mut all: Vec<_> = SERVERS.iter().map(|server| server.namespace).collect();
    all.dedup();
    all
}

/// The servers with a public part.
pub(crate) fn with_public_part()
-> impl Iterator<Item = (&'static ClusterServer, &'static PublicPart)> {
    let servers = SERVERS.iter().copied();
    servers.filter_map(|server| Some((server, server.public.as_ref()?)))
}

/// The servers that an ingress shows, and their certificates there.
pub(crate) fn shown_by_ingress()
-> impl Iterator<Item = (&'static ClusterServer, &'static IngressCertificate)> {
    let servers = SERVERS.iter().copied();
    servers.filter_map(|server| Some((server, server.ingress.as_ref()?)))
}

/// The servers that this machine can reach.
pub(crate) fn forwarded() -> impl Iterator<Item = &'static ClusterServer> {
    let servers = SERVERS.iter().copied();
    servers.filter(|server| server.offset().is_some())
}

/// The server of this name that this machine can reach; an error lists the names that
/// exist.
pub(crate) fn forwarded_named(name: &str) -> anyhow::Result<&'static ClusterServer> {
    let found = forwarded().find(|server| server.name == name);
    Ok(found.ok_or_else(|| {
        let names: Vec<_> = forwarded().map(|server| server.name).collect();
        broken(format!("there is no forward named {name:?}"))
            .hint(format!("those of this target are: {}", names.join(", ")))
    })?)
}

impl ClusterServer {
    /// How far its port on this machine is from the lowest.
    pub(crate) fn offset(&self) -> Option<u16> {
        self.service.as_ref()?.offset
    }

    /// Where it is in the cluster.
    pub(crate) fn url(&self) -> String {
        let service = self.service.as_ref();
        let (name, path) = service.map_or((self.deployment, ""), |service| {
            (service.name, service.path)
        });
        format!("http://{name}.{}.svc{path}", self.namespace)
    }

    /// What its Jobs make: all that must hold but its own pod.
    pub(crate) fn made_by_jobs(&self) -> Vec<Condition> {
        let made = self.ready.iter();
        made.filter(|condition| !condition.is_deployment())
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_of_this_machine_leads_to_one_server() {
        let mut offsets: Vec<_> = forwarded().filter_map(ClusterServer::offset).collect();
        offsets.sort_unstable();
        assert_eq!(offsets, [0, 1, 2]);
    }

    #[test]
    fn the_urls_are_those_of_the_chart() {
        assert_eq!(FULCIO.url(), "http://fulcio-server.fulcio-system.svc");
        assert_eq!(
            CTLOG.url(),
            "http://ctlog.ctlog-system.svc/sigstorescaffolding"
        );
    }
}
