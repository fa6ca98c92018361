//! The trust material of this installation: what a verifier must know (the
//! trusted root) and where a signer must go (the signing config), made by cosign
//! from the keys and their periods.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::settings::Period;
use super::steps::Trust;
use super::{Local, shards};
use crate::entry::Version;
use crate::exec::output_of;
use crate::format::hex::hex;
use crate::parallel;
use crate::plan::{Command, Step};
use crate::state;

/// The name that Rekor v2 signs its checkpoints with (`--hostname` in
/// `servers.yml`). Clients expect the host of the log's address.
const ORIGIN: &str = "127.0.0.1";

/// The record of what the trust material was made from.
const MADE_FROM: &str = "trust/made-from.json";

impl Local {
    /// The step that writes the trust material, where it is not what the keys
    /// say.
    pub fn trust_step(&self) -> Step {
        let local = self.clone();
        let needs = ["keys", "ctlog-shard", "rekor-v1-shard"];
        Step::new("trust", "write the trusted root and the signing config")
            .needs(needs)
            .done(move || {
                let current = local
                    .made_from()
                    .is_ok_and(|now| local.read_made_from() == Some(now));
                Ok(current.then(|| "they are what the keys say".to_owned()))
            })
            .xtask(Trust {})
    }

    /// What the trust material is made from and what became of it: the cosign
    /// calls, and a hash of each file that goes in or came out. Where one of them
    /// changed, whoever did it, all of it is made again.
    fn made_from(&self) -> Result<Value> {
        let calls = self.trust_words()?;
        let keys = calls.iter().flatten().flat_map(|word| word.split(','));
        let keys = keys.filter_map(|part| {
            part.split_once("=keys/")
                .map(|(_, name)| format!("keys/{name}"))
        });
        let files = self
            .trust_files()
            .into_iter()
            .map(|name| format!("trust/{name}"));
        let mut hashes = serde_json::Map::new();
        for file in keys.chain(files) {
            let content = state::read(&self.dir.join(&file))?;
            hashes.insert(
                file,
                json!(content.map(|content| hex(&Sha256::digest(content)))),
            );
        }
        Ok(json!({"calls": calls, "sha256": hashes}))
    }

    fn read_made_from(&self) -> Option<Value> {
        state::read_json(&self.dir.join(MADE_FROM)).ok()?
    }

    fn trust_files(&self) -> Vec<String> {
        let configs = self
            .versions()
            .into_iter()
            .map(|version| signing_config(Some(version)));
        let fixed = [
            "trusted_root.json".to_owned(),
            signing_config(None),
            "client_trust_config.json".to_owned(),
        ];
        fixed.into_iter().chain(configs).collect()
    }

    /// The versions of Rekor that run.
    pub fn versions(&self) -> Vec<Version> {
        [Version::V1, Version::V2]
            .into_iter()
            .filter(|version| self.settings.rekor.has(*version))
            .collect()
    }

    /// The arguments of the cosign calls that make the trust material: the
    /// trusted root first, then a signing config for each version of Rekor.
    ///
    /// # Errors
    /// Where the history of shards is damaged.
    pub fn trust_words(&self) -> Result<Vec<Vec<String>>> {
        let settings = &self.settings;
        let url = |port: &str, path: &str| -> Result<String> {
            Ok(format!(
                "url=http://127.0.0.1:{}{path}",
                self.manifest.port(port, settings)?
            ))
        };
        let mut root: Vec<String> = vec!["trusted-root".into(), "create".into()];
        for (i, period) in settings.fulcio.iter().enumerate() {
            root.push("--fulcio".into());
            let chain = format!("certificate-chain=keys/fulcio-{}.pem", i + 1);
            root.push(spec(&[url("fulcio", "")?, chain], period));
        }
        for (i, period) in settings.timestamp.iter().enumerate() {
            root.push("--tsa".into());
            let chain = format!("certificate-chain=keys/timestamp-{}.pem", i + 1);
            root.push(spec(
                &[url("timestamp", "/api/v1/timestamp")?, chain],
                period,
            ));
        }
        for shard in shards::read(&self.dir)? {
            let (option, address) = if shard.log == "ctlog" {
                ("--ctfe", url("ctlog", "/workshop")?)
            } else {
                ("--rekor", url("rekor-v1", "")?)
            };
            root.push(option.into());
            root.push(spec(
                &[address, format!("public-key={}.pub", shard.key())],
                &shard.period,
            ));
        }
        if self.dir.join("keys/rekor-v2.pub").exists() {
            let since = Period {
                since: settings.created.clone(),
                until: None,
            };
            let key = "public-key=keys/rekor-v2.pub".to_owned();
            root.push("--rekor".into());
            root.push(spec(
                &[url("rekor-v2", "")?, key, format!("origin={ORIGIN}")],
                &since,
            ));
        }
        let mut calls = vec![root];
        for version in self.versions() {
            let number = if version == Version::V1 { "1" } else { "2" };
            let rekor = if version == Version::V1 {
                "rekor-v1"
            } else {
                "rekor-v2"
            };
            let service = |address: String, version: &str| {
                let since = &settings.created;
                format!("{address},api-version={version},start-time={since},operator=workshop")
            };
            let words = [
                "signing-config",
                "create",
                "--fulcio",
                &service(url("fulcio", "")?, "1"),
                "--oidc-provider",
                &service(url("dex", "/dex")?, "1"),
                "--rekor",
                &service(url(rekor, "")?, number),
                "--rekor-config",
                "ANY",
                "--tsa",
                &service(url("timestamp", "/api/v1/timestamp")?, "1"),
                "--tsa-config",
                "ANY",
            ];
            calls.push(words.map(str::to_owned).to_vec());
        }
        Ok(calls)
    }

    /// Writes the trust material (`cargo xtask step trust`).
    ///
    /// # Errors
    /// Where cosign refuses the keys or a file cannot be written.
    pub fn write_trust(&self) -> Result<()> {
        let trust = self.dir.join("trust");
        let calls = self.trust_words()?;
        let made = parallel::each(&calls, |words| self.cosign_prints(words));
        let made: Vec<Value> = made.into_iter().collect::<Result<_>>()?;
        let (root, configs) = made.split_first().context("no trust material")?;
        for (version, config) in self.versions().into_iter().zip(configs) {
            state::write_json(&trust.join(signing_config(Some(version))), config)?;
            if version == self.settings.rekor.newest() {
                state::write_json(&trust.join(signing_config(None)), config)?;
                let client = json!({
                    "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
                    "trustedRoot": root,
                    "signingConfig": config,
                });
                state::write_json(&trust.join("client_trust_config.json"), &client)?;
            }
        }
        state::write_json(&trust.join("trusted_root.json"), root)?;
        state::write_json(&self.dir.join(MADE_FROM), &self.made_from()?)
    }

    /// Runs cosign in the target's directory, so that the keys are named by
    /// relative paths: a comma in an absolute one would split the argument.
    fn cosign_prints(&self, words: &[String]) -> Result<Value> {
        let all = std::iter::once(
            self.servers
                .program("cosign")
                .to_string_lossy()
                .into_owned(),
        );
        let command =
            Command::new(all.chain(words.iter().cloned()).map(Into::into).collect()).dir(&self.dir);
        let text = output_of(&command, None)?;
        serde_json::from_str(&text).context("cosign printed no JSON")
    }
}

/// The file of a signing config: one a version of Rekor, and one for whoever
/// does not care.
pub fn signing_config(version: Option<Version>) -> String {
    match version {
        None => "signing_config.json".into(),
        Some(Version::V1) => "signing_config.rekor-v1.json".into(),
        Some(Version::V2) => "signing_config.rekor-v2.json".into(),
    }
}

fn spec(parts: &[String], period: &Period) -> String {
    let mut spec = format!("{},start-time={}", parts.join(","), period.since);
    if let Some(until) = &period.until {
        spec.push_str(&format!(",end-time={until}"));
    }
    spec
}
