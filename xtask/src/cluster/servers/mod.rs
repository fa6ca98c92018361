//! The servers of an installation, one row each: where a server runs, how it is
//! reached, what of its secrets is public, and what must hold once it is up.

mod on_tiles;
mod table;

use super::conditions::{Condition, ConditionKind};
use super::helm;
use crate::entry::{Version, Versions};
use crate::fail::broken;
use crate::text::meant;
pub(crate) use on_tiles::{CT_TILES, CTLOG_TILES, REKOR_TILES, TILES, TIMESTAMP};
pub(crate) use table::{
    CERT_MANAGER, CTLOG, FULCIO, REGISTRY, REGISTRY_HOST, REGISTRY_NEXT, REGISTRY_TLS, REKOR,
    TRILLIAN_DATABASE, TRILLIAN_SERVER, TRILLIAN_SIGNER, TUF,
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
    /// The version of Rekor that it is for; `None` where it is for either.
    pub(crate) rekor: Option<Version>,
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
    /// Its Secret, in the namespace of the server; cert-manager's object has this name as
    /// well.
    pub(crate) secret: &'static str,
}

impl IngressCertificate {
    /// What must hold once it is made.
    pub(crate) fn ready(&self) -> [Condition; 2] {
        [
            Condition::key(ConditionKind::Secret, self.secret, "ca.crt"),
            Condition::new(ConditionKind::Certificate, self.secret),
        ]
    }
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
    /// This program.
    Here,
}

impl PublicPart {
    /// The name of the copy of the next key's public part.
    pub(crate) fn next_copy(&self) -> String {
        format!("{}-next", self.copy)
    }
}

/// All servers.
static SERVERS: [&ClusterServer; 14] = [
    &CERT_MANAGER,
    &FULCIO,
    &CTLOG,
    &CTLOG_TILES,
    &CT_TILES,
    &REKOR,
    &REKOR_TILES,
    &TILES,
    &TIMESTAMP,
    &TRILLIAN_SERVER,
    &TRILLIAN_SIGNER,
    &TRILLIAN_DATABASE,
    &REGISTRY,
    &TUF,
];

/// The logs that stand on Trillian.
pub(crate) static LOGS: [&ClusterServer; 2] = [&REKOR, &CTLOG];

/// The namespaces of `deploy/namespaces.yml`.
pub static NAMESPACES_V1: [&str; 5] = [
    helm::SCAFFOLD.namespace,
    FULCIO.namespace,
    CTLOG.namespace,
    REKOR.namespace,
    TRILLIAN_DATABASE.namespace,
];

/// The namespaces of `deploy/namespaces-rekor-v2.yml`.
pub static NAMESPACES_V2: [&str; 5] = [
    helm::SCAFFOLD.namespace,
    FULCIO.namespace,
    CTLOG_TILES.namespace,
    REKOR_TILES.namespace,
    TIMESTAMP.namespace,
];

/// The namespaces that the workshop makes with these versions of Rekor.
pub(crate) fn made_namespaces(rekor: Versions) -> Vec<&'static str> {
    let mut all = Vec::new();
    for (version, names) in [(Version::V1, &NAMESPACES_V1), (Version::V2, &NAMESPACES_V2)] {
        let new = names.iter().filter(|name| !all.contains(*name));
        let new: Vec<_> = new.filter(|_| rekor.has(version)).copied().collect();
        all.extend(new);
    }
    all
}

/// The servers of an installation with these versions of Rekor.
pub(crate) fn servers(rekor: Versions) -> impl Iterator<Item = &'static ClusterServer> + Clone {
    let all = SERVERS.iter().copied();
    all.filter(move |server| server.runs(rekor))
}

/// The namespaces of these servers, each once.
pub(crate) fn namespaces(rekor: Versions) -> Vec<&'static str> {
    let mut all: Vec<_> = servers(rekor).map(|server| server.namespace).collect();
    all.dedup();
    all
}

/// Those of these servers with a public part.
pub(crate) fn with_public_part(
    rekor: Versions,
) -> impl Iterator<Item = (&'static ClusterServer, &'static PublicPart)> {
    servers(rekor).filter_map(|server| Some((server, server.public.as_ref()?)))
}

/// Those of these servers that an ingress shows, and their certificates there.
pub(crate) fn shown_by_ingress(
    rekor: Versions,
) -> impl Iterator<Item = (&'static ClusterServer, &'static IngressCertificate)> {
    servers(rekor).filter_map(|server| Some((server, server.ingress.as_ref()?)))
}

/// Those of these servers that this machine can reach.
pub(crate) fn forwarded(rekor: Versions) -> impl Iterator<Item = &'static ClusterServer> + Clone {
    servers(rekor).filter(|server| server.offset().is_some())
}

/// The one of these servers with this name, where this machine can reach it; an error
/// lists the names that exist.
pub(crate) fn forwarded_named(
    name: &str,
    rekor: Versions,
) -> anyhow::Result<&'static ClusterServer> {
    let found = forwarded(rekor).find(|server| server.name == name);
    Ok(found.ok_or_else(|| {
        let names: Vec<_> = forwarded(rekor).map(|server| server.name).collect();
        let meant = meant(name, names.iter().copied());
        broken(format!("there is no forward named {name:?}"))
            .meant(meant.map(str::to_owned))
            .hint(format!("those of this target are: {}", names.join(", ")))
    })?)
}

/// The servers that are asked for a signature into a version of Rekor.
pub(crate) fn asked_to_sign(rekor: Version) -> Vec<&'static ClusterServer> {
    match rekor {
        Version::V1 => vec![&FULCIO, &REKOR],
        // It leaves the time to an authority.
        Version::V2 => vec![&FULCIO, &REKOR_TILES, &TIMESTAMP],
    }
}

impl ClusterServer {
    /// Whether it runs with these versions of Rekor.
    pub(crate) fn runs(&self, rekor: Versions) -> bool {
        self.rekor.is_none_or(|version| rekor.has(version))
    }

    /// How far its port on this machine is from the lowest.
    pub(crate) fn offset(&self) -> Option<u16> {
        self.service.as_ref()?.offset
    }

    /// What its URLs begin with, below the host.
    pub(crate) fn path(&self) -> &'static str {
        self.service.as_ref().map_or("", |service| service.path)
    }

    /// Where it is in the cluster.
    pub(crate) fn url(&self) -> String {
        let service = self.service.as_ref();
        let name = service.map_or(self.deployment, |service| service.name);
        format!("http://{name}.{}.svc{}", self.namespace, self.path())
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
        let all = forwarded(Versions::Both);
        let mut offsets: Vec<_> = all.filter_map(ClusterServer::offset).collect();
        offsets.sort_unstable();
        assert_eq!(offsets, [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn a_version_of_rekor_has_its_own_servers() {
        let names = |rekor| -> Vec<&str> { servers(rekor).map(|server| server.name).collect() };
        let (v1, v2) = (names(Versions::V1), names(Versions::V2));
        assert!(v1.contains(&"trillian-database") && !v1.contains(&"tiles"));
        assert!(v2.contains(&"timestamp") && !v2.contains(&"rekor"));
        for name in v1.iter().chain(&v2) {
            assert!(names(Versions::Both).contains(name), "{name}");
        }
        let made = made_namespaces(Versions::V2);
        assert!(made.contains(&"tsa-system") && !made.contains(&"trillian-system"));
        assert_eq!(made_namespaces(Versions::Both).len(), 8);
    }

    #[test]
    fn the_urls_are_those_of_the_chart() {
        assert_eq!(FULCIO.url(), "http://fulcio-server.fulcio-system.svc");
        assert_eq!(
            CTLOG.url(),
            "http://ctlog.ctlog-system.svc/sigstorescaffolding"
        );
        assert_eq!(
            TIMESTAMP.url(),
            "http://tsa-server.tsa-system.svc/api/v1/timestamp"
        );
    }
}
