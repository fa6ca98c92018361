//! The trust material of this installation: what a verifier must know (the
//! trusted root) and where a signer must go (the signing config), made from the keys
//! and their periods.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Local;
use super::manifest::{ServerRow, TrustRole};
use super::settings::Period;
use crate::entry::Version;
use crate::fail::broken;
use crate::state;
use crate::trust::generations::Generation;
use crate::trust::write::{
    CertificateChain, InUse, LogKey, PublicParts, Services, client_config, signing_config,
    trusted_root,
};

/// A key on disk: where its server is asked, what it says, and when it counts.
struct TrustedKey {
    url: String,
    origin: Option<String>,
    pem: String,
    period: Period,
}

impl TrustedKey {
    fn in_use(&self) -> InUse<'_> {
        InUse {
            since: &self.period.since,
            until: self.period.until.as_deref(),
        }
    }

    fn chain(&self) -> CertificateChain<'_> {
        CertificateChain {
            url: &self.url,
            pem: &self.pem,
            in_use: self.in_use(),
        }
    }

    fn log(&self) -> LogKey<'_> {
        LogKey {
            url: &self.url,
            pem: &self.pem,
            origin: self.origin.as_deref(),
            in_use: self.in_use(),
        }
    }
}

impl Local {
    /// Whether the files are what the keys say; where a key cannot be read, they are
    /// made again, which says why.
    pub(super) fn trust_is_current(&self) -> bool {
        let Ok(files) = self.trust_files() else {
            return false;
        };
        let same = |(file, value): &(PathBuf, Value)| {
            state::read_json::<Value>(file).is_ok_and(|now| now.as_ref() == Some(value))
        };
        let copied = |(file, pem): (PathBuf, Vec<u8>)| {
            state::read(&file).is_ok_and(|now| now.as_ref() == Some(&pem))
        };
        files.iter().all(same) && self.registry_copy().is_ok_and(copied)
    }

    /// Writes the trust material (`cargo xtask step trust`).
    pub(crate) fn write_trust(&self) -> Result<()> {
        let (file, pem) = self.registry_copy()?;
        state::write(&file, &pem, 0o600)?;
        let files = self.trust_files()?;
        if let Some((_, root)) = files.last() {
            Generation::count(&self.dir, root)?;
        }
        for (file, value) in files {
            state::write_json(&file, &value)?;
        }
        Ok(())
    }

    /// The certificate of the registry where it is alone, under the name that skopeo and
    /// podman look for, and what it holds.
    fn registry_copy(&self) -> Result<(PathBuf, Vec<u8>)> {
        let name = self.registry_certificate()?;
        let pem = state::read(&self.dir.join(&name))?;
        let pem = pem.with_context(|| format!("{name} is missing"))?;
        Ok((self.trust_file("registry/ca.crt"), pem))
    }

    /// Every file of the trust material, and what it holds: for each version of Rekor a
    /// signing config, and both the root and that config in one.
    fn trust_files(&self) -> Result<Vec<(PathBuf, Value)>> {
        let root = self.made_root()?;
        let file = |name: String| self.dir.join("trust").join(name);
        let mut files = Vec::new();
        for version in self.versions() {
            let config = self.made_config(version)?;
            if version == self.settings.rekor.newest() {
                let client = client_config(&root, &config);
                files.push((file(client_config_name(None)), client));
                files.push((file(config_name(None)), config.clone()));
            }
            let client = client_config(&root, &config);
            files.push((file(client_config_name(Some(version))), client));
            files.push((file(config_name(Some(version))), config));
        }
        // Last, so that what is there without it was not finished.
        files.push((file("trusted_root.json".into()), root));
        Ok(files)
    }

    /// The versions of Rekor that run.
    pub(crate) fn versions(&self) -> Vec<Version> {
        [Version::V1, Version::V2]
            .into_iter()
            .filter(|version| self.settings.rekor.has(*version))
            .collect()
    }

    fn made_root(&self) -> Result<Value> {
        let fulcio = self.trusted_keys(TrustRole::CertificateAuthority)?;
        let timestamp = self.trusted_keys(TrustRole::TimestampAuthority)?;
        let ctlogs = self.trusted_keys(TrustRole::CtLog)?;
        let rekor = self.trusted_keys(TrustRole::TransparencyLog)?;
        trusted_root(&PublicParts {
            fulcio: fulcio.iter().map(TrustedKey::chain).collect(),
            timestamp: timestamp.iter().map(TrustedKey::chain).collect(),
            ctlogs: ctlogs.iter().map(TrustedKey::log).collect(),
            rekor: rekor.iter().map(TrustedKey::log).collect(),
        })
    }

    /// Every key that the servers of a role have signed with, whether they run or not.
    fn trusted_keys(&self, role: TrustRole) -> Result<Vec<TrustedKey>> {
        let servers = self.manifest.servers.iter();
        let mut servers: Vec<_> = servers.filter(|row| row.trusts_as == Some(role)).collect();
        // The order is that of the options of cosign's own `trusted-root create`.
        servers.sort_by_key(|row| row.rekor.map(Version::name));
        let mut keys = Vec::new();
        for row in servers {
            for (file, period) in self.public_keys(row)? {
                keys.push(self.trusted_key(row, &file, period)?);
            }
        }
        Ok(keys)
    }

    /// The files with the public keys of a server, and when each was in use.
    fn public_keys(&self, row: &ServerRow) -> Result<Vec<(String, Period)>> {
        let Some(key) = &row.key else {
            return Ok(Vec::new());
        };
        let files = self.keys(key)?.into_iter().map(|key| key.public());
        let periods = self.settings.periods(key.name);
        let mut keys: Vec<_> = files.zip(periods.iter().cloned()).collect();
        // One that was never chosen has no key yet.
        keys.pop_if(|(newest, _)| row.rekor.is_some() && !self.dir.join(newest).exists());
        Ok(keys)
    }

    fn made_config(&self, version: Version) -> Result<Value> {
        let url = |role: TrustRole| self.url(self.manifest.trusted_as(role, version)?);
        Ok(signing_config(&Services {
            fulcio: &url(TrustRole::CertificateAuthority)?,
            issuer: &url(TrustRole::OidcProvider)?,
            rekor: &url(TrustRole::TransparencyLog)?,
            rekor_version: match version {
                Version::V1 => 1,
                Version::V2 => 2,
            },
            timestamp: Some(&url(TrustRole::TimestampAuthority)?),
            since: &self.settings.created,
        }))
    }

    fn trusted_key(&self, row: &ServerRow, name: &str, period: Period) -> Result<TrustedKey> {
        let file = self.dir.join(name);
        let there = state::read(&file)?;
        let missing = || {
            broken(format!("the key {} is missing", file.display()))
                .hint("put it back: what it signed cannot be verified without it")
        };
        Ok(TrustedKey {
            url: self.url(row)?,
            origin: row.origin.clone(),
            pem: String::from_utf8(there.ok_or_else(missing)?)
                .with_context(|| format!("read {}", file.display()))?,
            period,
        })
    }
}

/// The file of a signing config: one a version of Rekor, and one for clients that take
/// whichever is the newest.
pub(crate) fn config_name(version: Option<Version>) -> String {
    match version {
        None => "signing_config.json".into(),
        Some(Version::V1) => "signing_config.rekor-v1.json".into(),
        Some(Version::V2) => "signing_config.rekor-v2.json".into(),
    }
}

/// The file with both the trusted root and a signing config, likewise.
pub(crate) fn client_config_name(version: Option<Version>) -> String {
    config_name(version).replace("signing_config", "client_trust_config")
}
