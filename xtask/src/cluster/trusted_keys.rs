//! The keys that a trusted root of a cluster is made of: the copies that `copy-secrets`
//! left.

use anyhow::{Context, Result};
use serde_json::Value;

use super::copies::{SINCE, text_of};
use super::object::{DEFAULT, Object};
use super::rotation::Turning;
use super::servers::{
    CTLOG, CTLOG_TILES, ClusterServer, FULCIO, REGISTRY_NEXT, REGISTRY_TLS, REKOR, REKOR_TILES,
    TIMESTAMP, with_public_part,
};
use crate::entry::{Version, Versions};
use crate::fail::broken;
use crate::trust::write as trust;
use crate::trust::write::{CertificateChain, InUse, LogKey, PublicParts};

/// Since when a key is in use.
struct Since<'a> {
    /// Since when its Secret is there, where the copy says so.
    own: Option<&'a str>,
    /// Since when the copy is there.
    copied: &'a str,
}

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

    /// The public part of a server, and since when it has it, as far as the copy says so.
    fn public(&self, server: &ClusterServer) -> Result<(String, Since<'_>)> {
        let part = server.public.as_ref();
        let part = part.context("a server without a public part")?;
        let secret = self.secret(part.copy)?;
        let metadata = &secret.metadata;
        let own = metadata.annotations.get(SINCE).map(String::as_str);
        let since = Since {
            own: own.filter(|since| !since.is_empty()),
            copied: metadata.creation_timestamp.as_deref().unwrap_or_default(),
        };
        Ok((text_of(secret, part.as_key)?, since))
    }

    /// The public part of the key that a server has next, while its key turns, and since
    /// when its copy is there.
    fn next(&self, server: &ClusterServer) -> Result<Option<(String, &str)>> {
        let part = server.public.as_ref();
        let part = part.context("a server without a public part")?;
        let mut all = self.0.iter();
        let name = part.next_copy();
        let Some(secret) = all.find(|secret| secret.metadata.name == name) else {
            return Ok(None);
        };
        let since = secret.metadata.creation_timestamp.as_deref();
        let next = (text_of(secret, part.as_key)?, since.unwrap_or_default());
        Ok(Some(next))
    }

    /// The certificates that count for the registry: that of now, and while its key turns
    /// the next one.
    pub(super) fn registry_certificates(&self) -> Result<String> {
        let mut all = text_of(self.secret(REGISTRY_TLS)?, "ca.crt")?;
        let next = self.secret(REGISTRY_NEXT).ok();
        if let Some(next) = next.and_then(|next| text_of(next, "ca.crt").ok())
            && next != all
        {
            all.push_str(&next);
        }
        Ok(all)
    }

    /// The lists of the trusted root with keys that turn: those that go on to count.
    pub(super) fn turning(&self, rekor: Versions, ended: &[Turning]) -> Vec<&'static str> {
        let turns = |server: &&ClusterServer| {
            let is_ended = ended.iter().any(|ended| ended.server().name == server.name);
            !is_ended && matches!(self.next(server), Ok(Some(_)))
        };
        let servers = with_public_part(rekor).map(|(server, _)| server);
        let lists = servers
            .filter(turns)
            .filter_map(|server| server.next.as_ref()?.list);
        lists.collect()
    }
}

/// The trusted root, and since when the authority is valid.
pub(super) fn trusted_root(copies: &Copies, rekor: Versions) -> Result<(Value, String)> {
    let (chain, _) = copies.public(&FULCIO)?;
    let since = trust::not_before(&chain)?;
    let ctlogs = log_keys(&[&CTLOG, &CTLOG_TILES], copies, rekor, &since)?;
    let logs = log_keys(&[&REKOR, &REKOR_TILES], copies, rekor, &since)?;
    let fulcio = chains(copies, &FULCIO)?;
    let timestamp = match rekor.has(Version::V2) {
        true => chains(copies, &TIMESTAMP)?,
        false => Vec::new(),
    };
    let (fulcio, timestamp) = (dated(fulcio)?, dated(timestamp)?);
    let (fulcio_url, timestamp_url) = (FULCIO.url(), TIMESTAMP.url());
    let root = trust::trusted_root(&PublicParts {
        fulcio: authorities(&fulcio_url, &fulcio),
        timestamp: authorities(&timestamp_url, &timestamp),
        ctlogs: ctlogs.iter().map(TrustedLog::key).collect(),
        rekor: logs.iter().map(TrustedLog::key).collect(),
    })?;
    Ok((root, since))
}

/// The chain of certificates that an authority has, and while its key turns the next one.
fn chains(copies: &Copies, authority: &ClusterServer) -> Result<Vec<String>> {
    let (own, _) = copies.public(authority)?;
    let next = copies.next(authority)?.map(|(next, _)| next);
    let next = next.filter(|next| *next != own);
    Ok(std::iter::once(own).chain(next).collect())
}

/// Chains of certificates, each with the time from which on it counts.
fn dated(chains: Vec<String>) -> Result<Vec<(String, String)>> {
    let dated = chains.into_iter();
    let dated = dated.map(|chain| Ok((trust::not_before(&chain)?, chain)));
    dated.collect()
}

fn authorities<'a>(url: &'a str, chains: &'a [(String, String)]) -> Vec<CertificateChain<'a>> {
    let chain = |(since, pem): &'a (String, String)| CertificateChain {
        url,
        pem,
        in_use: InUse { since, until: None },
    };
    chains.iter().map(chain).collect()
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
        let (pem, age) = copies.public(server)?;
        let next = copies.next(server)?.filter(|(next, _)| *next != pem);
        // A copy may be younger than what its log signed. One that does not say since when
        // the key is there was made before they did, with the authority.
        let own = (pem, age.own.unwrap_or_else(|| since.min(age.copied)));
        keys.extend(
            std::iter::once(own)
                .chain(next)
                .map(|(pem, since)| TrustedLog {
                    server,
                    url: server.url(),
                    pem,
                    since: since.to_owned(),
                }),
        );
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
