//! `deploy/local/servers.yml`: the servers of the local target, as data.

use std::collections::BTreeMap;
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
    /// In an order in which they could be started one by one.
    pub servers: Vec<Server>,
}

/// One server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The word that commands take: `fulcio`.
    pub name: String,
    /// What it is, for a person.
    pub title: String,
    /// The Go module whose version it has.
    pub module: String,
    /// Program and arguments, separated by spaces, with placeholders.
    pub command: String,
    /// Where it answers once it is ready: `http://…` or `tcp://…`.
    pub ready: String,
    /// The name of its main port.
    pub port: String,
    /// The names of its further ports.
    #[serde(default)]
    pub also: Vec<String>,
    /// What must be ready before it starts.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Files whose change asks for a restart.
    #[serde(default)]
    pub uses: Vec<String>,
    /// Set where it runs only with this version of the log.
    pub rekor: Option<Version>,
    /// The configuration that names its Trillian tree, where it has one.
    pub tree: Option<String>,
    /// Environment variables.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
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
    pub fn chosen(&self, rekor: Versions) -> impl Iterator<Item = &Server> {
        self.servers
            .iter()
            .filter(move |server| server.rekor.is_none_or(|version| rekor.has(version)))
    }

    /// The server of this name.
    ///
    /// # Errors
    /// Where there is none; the names there are become the hint.
    pub fn server(&self, name: &str) -> Result<&Server> {
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
