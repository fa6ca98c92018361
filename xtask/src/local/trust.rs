//! The trust material of this installation: what a verifier must know (the
//! trusted root) and where a signer must go (the signing config), made from the keys
//! and their periods.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use super::settings::Period;
use super::steps::Trust;
use super::{Local, shards};
use crate::entry::Version;
use crate::fail::broken;
use crate::plan::Step;
use crate::state;
use crate::trust::write::{
    CertificateChain, InUse, LogKey, PublicParts, Services, client_config, signing_config,
    trusted_root,
};

/// The name that Rekor v2 signs its checkpoints with (`--hostname` in
/// `servers.yml`). Clients expect the host of the log's address.
const ORIGIN: &str = "127.0.0.1";

/// A key on disk: where its server is asked, what it says, and when it counts.
struct KeyFile {
    url: String,
    pem: String,
    period: Period,
}

impl KeyFile {
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

    fn log<'a>(&'a self, origin: Option<&'a str>) -> LogKey<'a> {
        LogKey {
            url: &self.url,
            pem: &self.pem,
            origin,
            in_use: self.in_use(),
        }
    }
}

impl Local {
    /// The step that writes the trust material, where it is not what the keys
    /// say.
    pub fn trust_step(&self) -> Step {
        let local = self.clone();
        let needs = ["keys", "ctlog-shard", "rekor-v1-shard"];
        Step::new("trust", "write the trusted root and the signing config")
            .needs(needs)
            .done(move || {
                let current = local.trust_is_current();
                Ok(current.then(|| "they are what the keys say".to_owned()))
            })
            .xtask(Trust {})
    }

    /// Whether the files are what the keys say; where a key cannot be read, they are
    /// made again, which says why.
    fn trust_is_current(&self) -> bool {
        let Ok(files) = self.trust_files() else {
            return false;
        };
        let same = |(file, value): &(PathBuf, Value)| {
            state::read_json::<Value>(file).is_ok_and(|now| now.as_ref() == Some(value))
        };
        files.iter().all(same)
    }

    /// Writes the trust material (`cargo xtask step trust`).
    ///
    /// # Errors
    /// Where a key cannot be read or a file cannot be written.
    pub fn write_trust(&self) -> Result<()> {
        for (file, value) in self.trust_files()? {
            state::write_json(&file, &value)?;
        }
        Ok(())
    }

    /// Every file of the trust material, and what it holds: a signing config for each
    /// version of Rekor, and both the root and the config of the newest in one.
    fn trust_files(&self) -> Result<Vec<(PathBuf, Value)>> {
        let root = self.made_root()?;
        let file = |name: String| self.dir.join("trust").join(name);
        let mut files = Vec::new();
        for version in self.versions() {
            let config = self.made_config(version)?;
            if version == self.settings.rekor.newest() {
                let client = client_config(&root, &config);
                files.push((file("client_trust_config.json".into()), client));
                files.push((file(config_name(None)), config.clone()));
            }
            files.push((file(config_name(Some(version))), config));
        }
        // Last, so that what is there without it was not finished.
        files.push((file("trusted_root.json".into()), root));
        Ok(files)
    }

    /// The versions of Rekor that run.
    pub fn versions(&self) -> Vec<Version> {
        [Version::V1, Version::V2]
            .into_iter()
            .filter(|version| self.settings.rekor.has(*version))
            .collect()
    }

    fn made_root(&self) -> Result<Value> {
        let numbered = |name: &'static str, periods: &[Period], url: String| {
            let all = periods.iter().enumerate();
            all.map(|(i, period)| {
                self.key_file(&format!("keys/{name}-{}.pem", i + 1), &url, period)
            })
            .collect::<Result<Vec<_>>>()
        };
        let settings = &self.settings;
        let fulcio = numbered("fulcio", &settings.fulcio, self.url("fulcio", "")?)?;
        let timestamp = self.url("timestamp", "/api/v1/timestamp")?;
        let timestamp = numbered("timestamp", &settings.timestamp, timestamp)?;
        let shards = shards::read(&self.dir)?;
        let shards = |log: &str, url: String| {
            let own = shards.iter().filter(|shard| shard.log == log);
            own.map(|shard| self.key_file(&format!("{}.pub", shard.key()), &url, &shard.period))
                .collect::<Result<Vec<_>>>()
        };
        let ctlogs = shards("ctlog", self.url("ctlog", "/workshop")?)?;
        let rekor_v1 = shards("rekor-v1", self.url("rekor-v1", "")?)?;
        let tiles = "keys/rekor-v2.pub";
        let always = Period {
            since: settings.created.clone(),
            until: None,
        };
        let rekor_v2 = match self.dir.join(tiles).exists() {
            true => Some(self.key_file(tiles, &self.url("rekor-v2", "")?, &always)?),
            false => None,
        };
        // The order is that of the options of cosign's own `trusted-root create`.
        let mut rekor: Vec<_> = rekor_v1.iter().map(|key| key.log(None)).collect();
        rekor.extend(rekor_v2.iter().map(|key| key.log(Some(ORIGIN))));
        trusted_root(&PublicParts {
            fulcio: fulcio.iter().map(KeyFile::chain).collect(),
            timestamp: timestamp.iter().map(KeyFile::chain).collect(),
            ctlogs: ctlogs.iter().map(|key| key.log(None)).collect(),
            rekor,
        })
    }

    fn made_config(&self, version: Version) -> Result<Value> {
        let (rekor, rekor_version) = match version {
            Version::V1 => ("rekor-v1", 1),
            Version::V2 => ("rekor-v2", 2),
        };
        Ok(signing_config(&Services {
            fulcio: &self.url("fulcio", "")?,
            issuer: &self.url("dex", "/dex")?,
            rekor: &self.url(rekor, "")?,
            rekor_version,
            timestamp: Some(&self.url("timestamp", "/api/v1/timestamp")?),
            since: &self.settings.created,
        }))
    }

    fn url(&self, port: &str, path: &str) -> Result<String> {
        let port = self.manifest.port(port, &self.settings)?;
        Ok(format!("http://127.0.0.1:{port}{path}"))
    }

    fn key_file(&self, name: &str, url: &str, period: &Period) -> Result<KeyFile> {
        let file = self.dir.join(name);
        let there = state::read(&file)?;
        let missing = || {
            broken(format!("the key {} is missing", file.display()))
                .hint("put it back: what it signed cannot be verified without it")
        };
        Ok(KeyFile {
            url: url.to_owned(),
            pem: String::from_utf8(there.ok_or_else(missing)?)
                .with_context(|| format!("read {}", file.display()))?,
            period: period.clone(),
        })
    }
}

/// The file of a signing config: one a version of Rekor, and one for clients that take
/// whichever is the newest.
pub fn config_name(version: Option<Version>) -> String {
    match version {
        None => "signing_config.json".into(),
        Some(Version::V1) => "signing_config.rekor-v1.json".into(),
        Some(Version::V2) => "signing_config.rekor-v2.json".into(),
    }
}
