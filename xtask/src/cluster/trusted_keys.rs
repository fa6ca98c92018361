//! The keys that a trusted root of a cluster is made of: the copies that `copy-secrets`
//! left.

use anyhow::{Context, Result};
use serde_json::Value;

use super::copies::text_of;
use super::object::{DEFAULT, Object};
use super::servers::{
    CTLOG, CTLOG_TILES, ClusterServer, FULCIO, REGISTRY_TLS, REKOR, REKOR_TILES, TIMESTAMP,
};
use crate::entry::{Version, Versions};
use crate::fail::broken;
use crate::trust::write as trust;
use crate::trust::write::{CertificateChain, InUse, LogKey, PublicParts};

/// The Secrets of [`DEFAULT`].
pub(super) struct Copies(pub(super) Vec<Object>);

impl Copies {
    /// The Secret of this name.
    pub(super) fn secret(&self, name: &str) -> Result<&Object> {
        let mut all = self.0.iter();
        let found = all.find(|secret| secret.metadata.name == name);
        Ok(found.ok_or_else(|| {
            let make = if name == REGISTRY_TLS {
                "registry"
            } else {
                "copy-secrets"
            };
            broken(format!("there is no Secret {name} in {DEFAULT}"))
                .hint(format!("cargo xtask {make}"))
        })?)
    }

    /// The public part of a server, and since when its copy is there.
    fn public(&self, server: &ClusterServer) -> Result<(String, &str)> {
        let part = server.public.as_ref();
        let part = part.context("a server without a public part")?;
        let secret = self.secret(part.copy)?;
        let since = secret.metadata.creation_timestamp.as_deref();
        Ok((text_of(secret, part.as_key)?, since.unwrap_or_default()))
    }
}

/// The trusted root, and since when the authority is valid.
pub(super) fn trusted_root(copies: &Copies, rekor: Versions) -> Result<(Value, String)> {
    let (chain, _) = copies.public(&FULCIO)?;
    let since = trust::not_before(&chain)?;
    let ctlogs = log_keys(&[&CTLOG, &CTLOG_TILES], copies, rekor, &since)?;
    let logs = log_keys(&[&REKOR, &REKOR_TILES], copies, rekor, &since)?;
    let timestamp = match rekor.has(Version::V2) {
        true => Some(copies.public(&TIMESTAMP)?.0),
        false => None,
    };
    let begins = timestamp.as_deref().map(trust::not_before).transpose()?;
    let authority = |url, pem, since| CertificateChain {
        url,
        pem,
        in_use: InUse { since, until: None },
    };
    let (fulcio_url, timestamp_url) = (FULCIO.url(), TIMESTAMP.url());
    let stamps = timestamp.as_deref().zip(begins.as_deref());
    let stamps = stamps.map(|(pem, since)| authority(&timestamp_url, pem, since));
    let root = trust::trusted_root(&PublicParts {
        fulcio: vec![authority(&fulcio_url, &chain, &since)],
        timestamp: stamps.into_iter().collect(),
        ctlogs: ctlogs.iter().map(TrustedLog::key).collect(),
        rekor: logs.iter().map(TrustedLog::key).collect(),
    })?;
    Ok((root, since))
}

/// A log of the cluster, its public key, and since when that is in use.
struct TrustedLog {
    server: &'static ClusterServer,
    url: String,
    pem: String,
    since: String,
}

impl TrustedLog {
    fn key(&self) -> LogKey<'_> {
        LogKey {
            url: &self.url,
            pem: &self.pem,
            // Rekor v2 makes its id of this name as well.
            origin: (self.server.name == REKOR_TILES.name).then(|| host(&self.url)),
            in_use: InUse {
                since: &self.since,
                until: None,
            },
        }
    }
}

/// Those of these logs that run, where Fulcio's authority is valid since this time.
fn log_keys(
    logs: &[&'static ClusterServer],
    copies: &Copies,
    rekor: Versions,
    since: &str,
) -> Result<Vec<TrustedLog>> {
    let mut keys = Vec::new();
    for server in logs.iter().filter(|log| log.runs(rekor)) {
        let (pem, copied) = copies.public(server)?;
        keys.push(TrustedLog {
            server,
            url: server.url(),
            pem,
            // A log is as old as the authority whose certificates it took first; the copy
            // of its key may be younger than what it signed.
            since: since.min(copied).to_owned(),
        });
    }
    Ok(keys)
}

/// The host of a URL of the cluster.
fn host(url: &str) -> &str {
    url.trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap_or_default()
}
