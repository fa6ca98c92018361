//! The rows of the table.

use super::{ClusterServer, IngressCertificate, Maker, NextKey, PublicPart, Service};
use crate::cluster::conditions::Condition;
use crate::cluster::conditions::ConditionKind::{
    Accepts, ConfigMap, Deployment, Ended, Secret, Volume,
};
use crate::cluster::helm;
use crate::cluster::object::DEFAULT;
use crate::entry::Version;

/// A server of Rekor v1 that is only there.
const NEIGHBOUR: ClusterServer = ClusterServer {
    name: "",
    title: "",
    namespace: "trillian-system",
    deployment: "",
    service: None,
    public: None,
    next: None,
    ingress: None,
    tree: None,
    ready: &[],
    rekor: Some(Version::V1),
};

/// A server that either version of Rekor needs.
pub(super) const EITHER: ClusterServer = ClusterServer {
    rekor: None,
    ..NEIGHBOUR
};

pub(crate) static CERT_MANAGER: ClusterServer = ClusterServer {
    name: "cert-manager",
    title: "cert-manager",
    namespace: helm::CERT_MANAGER.namespace,
    deployment: "cert-manager",
    ready: &[
        Condition::new(Deployment, "cert-manager"),
        Condition::new(Deployment, "cert-manager-webhook"),
        Condition::new(Deployment, "cert-manager-cainjector"),
        Condition::new(Accepts, "deploy/clusterissuer-selfsigned-issuer.yml"),
    ],
    ..EITHER
};

/// The certificate authority.
pub(crate) static FULCIO: ClusterServer = ClusterServer {
    name: "fulcio",
    title: "Fulcio, the certificate authority",
    namespace: "fulcio-system",
    deployment: "fulcio-server",
    service: Some(Service {
        name: "fulcio-server",
        port: 80,
        path: "",
        offset: Some(0),
    }),
    // The certificate chain.
    public: Some(PublicPart {
        secret: "fulcio-server-secret",
        key: "cert",
        copy: "fulcio-certificate",
        as_key: "cert",
    }),
    next: Some(NextKey {
        secret: "fulcio-next",
        key: "tls.crt",
        maker: Maker::Certificate("deploy/certificate-fulcio-next.yml"),
        list: Some("certificateAuthorities"),
    }),
    ingress: Some(IngressCertificate {
        title: "the certificate of Fulcio's ingress",
        secret: "fulcio-tls",
    }),
    tree: None,
    ready: &[
        Condition::key(Secret, "fulcio-server-secret", "cert"),
        Condition::new(Deployment, "fulcio-server"),
    ],
    rekor: None,
};

/// The certificate transparency log.
pub(crate) static CTLOG: ClusterServer = ClusterServer {
    name: "ctlog",
    title: "the certificate transparency log",
    namespace: "ctlog-system",
    deployment: "ctlog",
    service: Some(Service {
        name: "ctlog",
        port: 80,
        path: "/sigstorescaffolding",
        offset: None,
    }),
    public: Some(PublicPart {
        secret: "ctlog-public-key",
        key: "public",
        copy: "ctlog-public-key",
        as_key: "public",
    }),
    next: Some(NextKey {
        secret: "ctlog-next",
        key: "public",
        maker: Maker::Job("scaffold-ctlog-createctconfig"),
        list: Some("ctlogs"),
    }),
    ingress: None,
    tree: Some(Condition::key(ConfigMap, "ctlog-config", "treeID")),
    ready: &[
        Condition::key(ConfigMap, "ctlog-config", "treeID"),
        // It adds the authority that Fulcio has now. A log that is restarted before that
        // refuses Fulcio's certificates.
        Condition::new(Ended, "scaffold-ctlog-createctconfig"),
        Condition::key(Secret, "ctlog-public-key", "public"),
        Condition::new(Deployment, "ctlog"),
    ],
    rekor: Some(Version::V1),
};

/// The transparency log.
pub(crate) static REKOR: ClusterServer = ClusterServer {
    name: "rekor",
    title: "Rekor, the transparency log",
    namespace: "rekor-system",
    deployment: "rekor-server",
    service: Some(Service {
        name: "rekor-server",
        port: 80,
        path: "",
        offset: Some(1),
    }),
    // The certificate that lies beside the key: the public key is taken out of it.
    public: Some(PublicPart {
        secret: "rekor-signer",
        key: "tls.crt",
        copy: "rekor-public-key",
        as_key: "public",
    }),
    next: Some(NextKey {
        secret: "rekor-next",
        key: "tls.crt",
        maker: Maker::Certificate("deploy/certificate-rekor-next.yml"),
        list: Some("tlogs"),
    }),
    ingress: Some(IngressCertificate {
        title: "the certificate of Rekor's ingress",
        secret: "rekor-tls",
    }),
    tree: Some(Condition::key(ConfigMap, "rekor-config", "treeID")),
    ready: &[
        Condition::key(ConfigMap, "rekor-config", "treeID"),
        Condition::new(Deployment, "rekor-server"),
    ],
    rekor: Some(Version::V1),
};

/// What answers for the Merkle trees of the logs.
pub(crate) static TRILLIAN_SERVER: ClusterServer = ClusterServer {
    name: "trillian-log-server",
    title: "Trillian's server",
    deployment: "trillian-logserver",
    ready: &[
        Condition::new(Ended, "scaffold-trillian-createdb"),
        Condition::new(Deployment, "trillian-logserver"),
    ],
    ..NEIGHBOUR
};

/// What makes the Merkle trees grow.
pub(crate) static TRILLIAN_SIGNER: ClusterServer = ClusterServer {
    name: "trillian-log-signer",
    title: "Trillian's signer",
    deployment: "trillian-logsigner",
    ready: &[Condition::new(Deployment, "trillian-logsigner")],
    ..NEIGHBOUR
};

/// Where the Merkle trees are kept.
pub(crate) static TRILLIAN_DATABASE: ClusterServer = ClusterServer {
    name: "trillian-database",
    title: "Trillian's database",
    deployment: "trillian-mysql",
    ready: &[Condition::new(Deployment, "trillian-mysql")],
    ..NEIGHBOUR
};

/// The registry of the workshop.
pub(crate) static REGISTRY: ClusterServer = ClusterServer {
    name: "registry",
    title: "the registry",
    namespace: DEFAULT,
    deployment: "registry",
    service: Some(Service {
        name: "registry",
        port: 443,
        path: "",
        offset: Some(2),
    }),
    next: Some(NextKey {
        secret: REGISTRY_NEXT,
        key: "ca.crt",
        maker: Maker::Certificate("verify/certificate-registry-next.yml"),
        list: None,
    }),
    ready: &[
        Condition::new(Volume, "registry"),
        Condition::new(Deployment, "registry"),
    ],
    ..EITHER
};

/// What hands out the TUF repository.
pub(crate) static TUF: ClusterServer = ClusterServer {
    name: "tuf",
    title: "the TUF repository",
    namespace: DEFAULT,
    deployment: "tuf",
    service: Some(Service {
        name: "tuf",
        port: 80,
        path: "",
        offset: Some(7),
    }),
    ingress: Some(IngressCertificate {
        title: "the certificate of the TUF repository's ingress",
        secret: "tuf-tls",
    }),
    ready: &[Condition::new(Deployment, "tuf")],
    ..EITHER
};

/// The Secret with the next certificate of the registry, while its key turns.
pub(crate) const REGISTRY_NEXT: &str = "registry-next";

/// The Secret with the registry's certificate.
pub(crate) const REGISTRY_TLS: &str = "registry-tls";

/// The registry as images of it are named in the cluster.
pub(crate) const REGISTRY_HOST: &str = "registry.default.svc.cluster.local";
