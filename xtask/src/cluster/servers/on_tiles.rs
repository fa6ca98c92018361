//! The rows of Rekor v2: the logs on tiles, what hands them out, and the timestamp
//! authority.

use super::table::EITHER;
use super::{ClusterServer, IngressCertificate, Maker, NextKey, PublicPart, Service};
use crate::cluster::conditions::Condition;
use crate::cluster::conditions::ConditionKind::{Deployment, Secret};
use crate::cluster::helm;
use crate::entry::Version;

/// A server of Rekor v2.
const ON_TILES: ClusterServer = ClusterServer {
    rekor: Some(Version::V2),
    ..EITHER
};

/// The certificate transparency log on tiles.
pub(crate) static CTLOG_TILES: ClusterServer = ClusterServer {
    name: "ctlog-tiles",
    title: "TesseraCT, the certificate transparency log on tiles",
    namespace: helm::CTLOG_TILES.namespace,
    deployment: "ctlog-tiles",
    service: Some(Service {
        name: "ctlog-tiles",
        port: 80,
        path: "",
        offset: None,
    }),
    public: Some(PublicPart {
        secret: "ctlog-tiles-key",
        key: "tls.crt",
        copy: "ctlog-tiles-public-key",
        as_key: "public",
    }),
    next: Some(NextKey {
        secret: "ctlog-tiles-next",
        key: "tls.crt",
        maker: Maker::Certificate("deploy/certificate-ctlog-tiles-next.yml"),
        list: Some("ctlogs"),
    }),
    ready: &[Condition::new(Deployment, "ctlog-tiles")],
    ..ON_TILES
};

/// What hands out its tiles.
pub(crate) static CT_TILES: ClusterServer = ClusterServer {
    name: "ct-tiles",
    title: "the tiles of the CT log, for reading",
    namespace: helm::CTLOG_TILES.namespace,
    deployment: "ctlog-tiles-reader",
    service: Some(Service {
        name: "ctlog-tiles-reader",
        port: 80,
        path: "",
        offset: Some(3),
    }),
    ingress: Some(IngressCertificate {
        title: "the certificate of the ingress to the CT log's tiles",
        secret: "ct-tiles-tls",
    }),
    ready: &[Condition::new(Deployment, "ctlog-tiles-reader")],
    ..ON_TILES
};

/// The transparency log on tiles.
pub(crate) static REKOR_TILES: ClusterServer = ClusterServer {
    name: "rekor-v2",
    title: "Rekor v2, the transparency log on tiles",
    namespace: helm::REKOR_TILES.namespace,
    deployment: "rekor-tiles",
    service: Some(Service {
        name: "rekor-tiles",
        port: 80,
        path: "",
        offset: Some(4),
    }),
    ingress: Some(IngressCertificate {
        title: "the certificate of Rekor v2's ingress",
        secret: "rekor-v2-tls",
    }),
    public: Some(PublicPart {
        secret: "rekor-tiles-key",
        key: "tls.crt",
        copy: "rekor-tiles-public-key",
        as_key: "public",
    }),
    next: Some(NextKey {
        secret: "rekor-tiles-next",
        key: "tls.crt",
        maker: Maker::Certificate("deploy/certificate-rekor-tiles-next.yml"),
        list: Some("tlogs"),
    }),
    ready: &[Condition::new(Deployment, "rekor-tiles")],
    ..ON_TILES
};

/// What hands out its tiles.
pub(crate) static TILES: ClusterServer = ClusterServer {
    name: "tiles",
    title: "the tiles of Rekor v2, for reading",
    namespace: helm::REKOR_TILES.namespace,
    deployment: "rekor-tiles-reader",
    service: Some(Service {
        name: "rekor-tiles-reader",
        port: 80,
        path: "",
        offset: Some(5),
    }),
    ingress: Some(IngressCertificate {
        title: "the certificate of the ingress to Rekor v2's tiles",
        secret: "tiles-tls",
    }),
    ready: &[Condition::new(Deployment, "rekor-tiles-reader")],
    ..ON_TILES
};

/// The timestamp authority.
pub(crate) static TIMESTAMP: ClusterServer = ClusterServer {
    name: "timestamp",
    title: "the timestamp authority",
    namespace: helm::TSA.namespace,
    deployment: "tsa-server",
    service: Some(Service {
        name: "tsa-server",
        port: 80,
        path: "/api/v1/timestamp",
        offset: Some(6),
    }),
    ingress: Some(IngressCertificate {
        title: "the certificate of the timestamp authority's ingress",
        secret: "timestamp-tls",
    }),
    // The certificate chain.
    public: Some(PublicPart {
        secret: "tsa-server-secret",
        key: "chain",
        copy: "timestamp-certificate",
        as_key: "chain",
    }),
    next: Some(NextKey {
        secret: "timestamp-next",
        key: "chain",
        maker: Maker::Here,
        list: Some("timestampAuthorities"),
    }),
    ready: &[
        Condition::key(Secret, "tsa-server-secret", "chain"),
        Condition::new(Deployment, "tsa-server"),
    ],
    ..ON_TILES
};
