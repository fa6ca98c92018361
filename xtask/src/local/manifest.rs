//! `deploy/local/servers.yml`: the servers of the local target, as data.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::settings::Settings;
use crate::entry::{Version, Versions};
use crate::fail::broken;

/// The servers and their ports.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Offsets from the port base, by name.
    pub ports: BTreeMap<String, u16>,
    /// Programs of the build that are no servers.
    pub tools: Vec<String>,
    /// In an order in which they could be started one by one.
    pub servers: Vec<ServerRow>,
}

/// One server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerRow {
    /// The word that commands take: `fulcio`.
    pub name: String,
    /// What it is, for a person.
    pub title: String,
    /// The Go module whose version it has.
    pub module: String,
    /// Program and arguments, separated by spaces, with placeholders.
    pub command: String,
    /// The address that answers once it is ready: `http://…` or `tcp://…`.
    pub ready: String,
    /// The name of its main port.
    pub port: String,
    /// The names of its further ports.
    #[serde(default)]
    pub also: Vec<String>,
    /// What must be ready before it starts.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Set where it runs only with this version of the log.
    pub rekor: Option<Version>,
    /// Environment variables.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Its key, where it has one of its own.
    pub key: Option<KeyRow>,
    /// Its configuration, where that depends on settings and users only.
    pub config: Option<String>,
    /// Its tree in Trillian, where it has one.
    pub tree: Option<TreeRow>,
    /// Further files whose change asks for a restart.
    #[serde(default)]
    pub uses: Vec<String>,
    /// A directory that must be there.
    pub data: Option<String>,
    /// The address at which clients reach it.
    pub url: Option<String>,
    /// The name of that address in `cargo xtask env`.
    pub variable: Option<String>,
    /// What it is in the trusted root and in the signing config.
    pub trusts_as: Option<TrustRole>,
    /// The name in the checkpoints of a log, where the address does not tell it.
    pub origin: Option<String>,
    /// The API with which the size of its log is read.
    pub log: Option<LogApi>,
    /// The chapter that has a reader start it, and whose reset stops it.
    pub chapter: Option<String>,
}

/// The key of a server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRow {
    /// How it is made.
    pub kind: KeyKind,
    /// Its file without the ending, with placeholders.
    pub file: String,
    /// A file with the certificates of every such key there ever was.
    pub all: Option<String>,
}

/// The tree of a log in Trillian, which keeps it in memory: each run of Trillian is a
/// new shard of the log, with a new key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreeRow {
    /// The configuration that names tree and key.
    pub config: String,
    /// How the key of a shard is made.
    pub key: KeyKind,
    /// The variable that holds the id of a new tree in a dry run.
    pub variable: String,
}

/// How a key is made, in the words of `loopback make`, in the order in which the keys
/// are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// A certificate authority.
    Ca,
    /// A timestamp authority.
    Timestamp,
    /// A TLS certificate of this machine.
    Tls,
    /// The users of Dex.
    Users,
    /// A key for Ed25519.
    Ed25519,
    /// A key for ECDSA.
    Ecdsa,
    /// A key of the certificate transparency log, in an encrypted file.
    Ctlog,
}

impl KeyKind {
    /// The word that `loopback make` takes.
    pub fn name(self) -> &'static str {
        match self {
            KeyKind::Ca => "ca",
            KeyKind::Timestamp => "timestamp",
            KeyKind::Tls => "tls",
            KeyKind::Users => "users",
            KeyKind::Ed25519 => "ed25519",
            KeyKind::Ecdsa => "ecdsa",
            KeyKind::Ctlog => "ctlog",
        }
    }

    /// The ending of its public part, which is written last.
    pub fn ending(self) -> &'static str {
        match self {
            KeyKind::Ca | KeyKind::Timestamp | KeyKind::Tls => "pem",
            KeyKind::Users => "yml",
            KeyKind::Ed25519 | KeyKind::Ecdsa | KeyKind::Ctlog => "pub",
        }
    }

    /// What to type where its certificate ends soon; `None` where it has none.
    pub fn renewed_by(self) -> Option<&'static str> {
        match self {
            KeyKind::Ca => Some("cargo xtask install --renew ca"),
            KeyKind::Timestamp => Some("cargo xtask install --renew timestamp"),
            KeyKind::Tls => Some("cargo xtask start"),
            _ => None,
        }
    }
}

/// What a server is in the trusted root and in the signing config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustRole {
    /// Who vouches for users; in the signing config only.
    OidcProvider,
    /// Who issues certificates.
    CertificateAuthority,
    /// Who issues timestamps.
    TimestampAuthority,
    /// The log of certificates; in the trusted root only.
    CtLog,
    /// The log of signatures.
    TransparencyLog,
}

/// How the size of a log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogApi {
    /// As RFC 6962 says.
    Ct,
    /// As Rekor v1 says.
    RekorV1,
    /// As the tiles of Rekor v2 say.
    RekorV2,
}

impl LogApi {
    /// The version of Rekor that has this API.
    pub fn rekor(self) -> Option<Version> {
        match self {
            LogApi::Ct => None,
            LogApi::RekorV1 => Some(Version::V1),
            LogApi::RekorV2 => Some(Version::V2),
        }
    }
}

impl ServerRow {
    /// Whether it runs with these versions of the log.
    pub fn runs_with(&self, rekor: Versions) -> bool {
        self.rekor.is_none_or(|version| rekor.has(version))
    }

    /// The files whose change asks for a restart.
    pub fn used_files(&self) -> Vec<String> {
        let configs = self.config.iter().chain(self.tree.iter().map(|tree| &tree.config));
        configs.chain(&self.uses).cloned().collect()
    }
}

impl Manifest {
    /// Reads it from the repository.
    ///
    /// # Errors
    /// Where it is missing or wrong.
    pub fn read(repo: &Path) -> Result<Manifest> {
        let path = repo.join("deploy/local/servers.yml");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        serde_yaml::from_str(&text).with_context(|| format!("read {}", path.display()))
    }

    /// The servers that run with these settings.
    pub fn chosen(&self, rekor: Versions) -> impl Iterator<Item = &ServerRow> {
        self.servers
            .iter()
            .filter(move |server| server.runs_with(rekor))
    }

    /// The programs that a complete build consists of, each once.
    pub fn programs(&self) -> BTreeSet<&str> {
        let commands = self.servers.iter().map(|server| server.command.as_str());
        let lines = commands.chain(self.tools.iter().map(String::as_str));
        lines
            .filter_map(|line| line.split_whitespace().next())
            .collect()
    }

    /// The server that is this for those who trust the installation.
    pub fn trusted_as(&self, role: TrustRole) -> Result<&ServerRow> {
        self.servers
            .iter()
            .find(|server| server.trusts_as == Some(role))
            .with_context(|| format!("servers.yml names no server as {role:?}"))
    }

    /// The log of a version of Rekor that lives in a tree of Trillian, where it does.
    pub fn tree_of(&self, rekor: Version) -> Option<&ServerRow> {
        self.servers
            .iter()
            .find(|server| server.tree.is_some() && server.rekor == Some(rekor))
    }

    /// The server of this name.
    ///
    /// # Errors
    /// Where there is none; the names there are become the hint.
    pub fn server(&self, name: &str) -> Result<&ServerRow> {
        self.servers
            .iter()
            .find(|server| server.name == name)
            .ok_or_else(|| {
                let names: Vec<_> = self
                    .servers
                    .iter()
                    .map(|server| server.name.as_str())
                    .collect();
                broken(format!("there is no component {name:?}"))
                    .hint(format!("the components are: {}", names.join(", ")))
                    .into()
            })
    }

    /// The port of this name.
    ///
    /// # Errors
    /// Where the manifest names none.
    pub fn port(&self, name: &str, settings: &Settings) -> Result<u16> {
        let offset = self
            .ports
            .get(name)
            .with_context(|| format!("servers.yml names no port {name:?}"))?;
        settings
            .port_base
            .checked_add(*offset)
            .with_context(|| format!("the port base {} is too high", settings.port_base))
    }

    /// What placeholders stand for: `{{NAME}}` is an address, `{{NAME.port}}` a
    /// port, `{{ca}}` and `{{tsa}}` the numbers of the newest keys.
    ///
    /// # Errors
    /// Where the ports do not fit below 65536.
    pub fn variables(&self, settings: &Settings) -> Result<BTreeMap<String, String>> {
        let mut variables = BTreeMap::new();
        for name in self.ports.keys() {
            let port = self.port(name, settings)?;
            variables.insert(name.clone(), format!("127.0.0.1:{port}"));
            variables.insert(format!("{name}.port"), port.to_string());
        }
        variables.insert("ca".into(), settings.fulcio.len().to_string());
        variables.insert("tsa".into(), settings.timestamp.len().to_string());
        Ok(variables)
    }
}

/// A text with its `{{placeholders}}` filled in.
///
/// # Errors
/// Where it names a variable that there is not, or a brace is left open.
pub fn fill(text: &str, variables: &BTreeMap<String, String>) -> Result<String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after
            .split_once("}}")
            .context("a placeholder is not closed")?;
        let value = variables
            .get(name)
            .with_context(|| format!("nothing is known for the placeholder {{{{{name}}}}}"))?;
        filled.push_str(before);
        filled.push_str(value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_mistakes_named() {
        let variables = BTreeMap::from([("dex".to_owned(), "127.0.0.1:1".to_owned())]);
        assert_eq!(
            fill("a {{dex}} b {{dex}}", &variables).unwrap(),
            "a 127.0.0.1:1 b 127.0.0.1:1"
        );
        assert!(
            fill("{{nobody}}", &variables)
                .unwrap_err()
                .to_string()
                .contains("{{nobody}}")
        );
        assert!(fill("{{dex", &variables).is_err());
    }

    #[test]
    fn the_manifest_names_only_what_is_there() {
        let repo = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest = Manifest::read(repo).unwrap();
        let settings = Settings::new(17800, Versions::Both);
        let variables = manifest.variables(&settings).unwrap();
        for (i, server) in manifest.servers.iter().enumerate() {
            fill(&server.command, &variables).unwrap();
            fill(&server.ready, &variables).unwrap();
            manifest.port(&server.port, &settings).unwrap();
            for need in &server.needs {
                assert!(
                    manifest.servers[..i]
                        .iter()
                        .any(|earlier| earlier.name == *need),
                    "{need} comes later"
                );
            }
        }
    }
}
