//! `deploy/local/servers.yml`: the servers of the local target, as data.

mod key_recipe;
mod kinds;
mod placeholders;
mod program;
mod row;

pub(crate) use key_recipe::KeyRecipe;
pub(crate) use kinds::{LogApi, TrustRole};
pub(crate) use placeholders::fill;
pub(crate) use program::ProgramRow;
pub(crate) use row::{KeyRow, ServerRow};

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Deserialize;

use super::settings::{CountedKey, Settings};
use crate::entry::{Version, Versions};
use crate::fail::broken;
use crate::text::meant;

/// The servers and their ports.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Offsets from the port base, by name.
    pub ports: BTreeMap<String, u16>,
    /// What is built.
    pub programs: Vec<ProgramRow>,
    /// In an order in which they could be started one by one.
    pub servers: Vec<ServerRow>,
}

impl Manifest {
    /// Reads it from the repository.
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

    /// These servers and all that they need.
    pub(crate) fn with_needs(&self, names: &[String]) -> Vec<String> {
        let mut all = names.to_vec();
        // Every server comes after those it needs, so one pass from the end
        // finds them all.
        for server in self.servers.iter().rev() {
            if all.contains(&server.name) {
                all.extend(server.needs.clone());
            }
        }
        all
    }

    /// The server with this role in the trust material, for this version of the log.
    pub fn trusted_as(&self, role: TrustRole, rekor: Version) -> Result<&ServerRow> {
        let runs = |server: &ServerRow| server.rekor.is_none_or(|version| version == rekor);
        self.servers
            .iter()
            .find(|server| server.trusts_as == Some(role) && runs(server))
            .with_context(|| format!("servers.yml names no server as {role:?}"))
    }

    /// The server of this name; an error lists the names that exist.
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
                let meant = meant(name, names.iter().copied());
                broken(format!("there is no component {name:?}"))
                    .meant(meant.map(str::to_owned))
                    .hint(format!("the components are: {}", names.join(", ")))
                    .into()
            })
    }

    /// The port of this name.
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
    /// port, `{{NAME.key}}` the number of the newest key of that name, and
    /// `{{NAME.nth}}` what a file name ends in that had no number once: nothing for the
    /// first, then `-2`.
    pub fn variables(&self, settings: &Settings) -> Result<BTreeMap<String, String>> {
        let mut variables = BTreeMap::new();
        for name in self.ports.keys() {
            let port = self.port(name, settings)?;
            variables.insert(name.clone(), format!("127.0.0.1:{port}"));
            variables.insert(format!("{name}.port"), port.to_string());
        }
        for key in CountedKey::value_variants() {
            let (name, newest) = (key.name(), settings.newest(*key));
            variables.insert(format!("{name}.key"), newest.to_string());
            let nth = (newest > 1).then(|| format!("-{newest}"));
            variables.insert(format!("{name}.nth"), nth.unwrap_or_default());
        }
        Ok(variables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_manifest_names_only_what_is_there() {
        let repo = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest = Manifest::read(repo).unwrap();
        let settings = Settings::new(17800, Versions::Both);
        let variables = manifest.variables(&settings).unwrap();
        for (i, server) in manifest.servers.iter().enumerate() {
            let key = server.key.as_ref().map(|key| &key.file);
            let texts = [&server.command, &server.ready].into_iter();
            let told = [&server.url, &server.read_at, &server.shards_at];
            for text in texts.chain(told.into_iter().flatten()).chain(key) {
                fill(text, &variables).unwrap();
            }
            manifest.port(&server.port, &settings).unwrap();
            for need in &server.needs {
                assert!(
                    manifest.servers[..i]
                        .iter()
                        .any(|earlier| earlier.name == *need),
                    "{need} comes later"
                );
            }
            if let Some(config) = &server.config {
                let template = config.strip_prefix("config/").unwrap();
                assert!(repo.join("deploy/local").join(template).is_file());
            }
            // What others are told of must be reachable.
            let told = server.variable.is_some() || server.trusts_as.is_some();
            assert!(!told || server.url.is_some(), "{} has no url", server.name);
        }
    }

    /// Each version of Rekor has a log in the trusted root, and one that is read.
    #[test]
    fn every_role_is_taken() {
        let repo = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest = Manifest::read(repo).unwrap();
        for rekor in [Versions::V1, Versions::V2] {
            let all: Vec<_> = manifest.chosen(rekor).collect();
            for role in [
                TrustRole::OidcProvider,
                TrustRole::CertificateAuthority,
                TrustRole::TimestampAuthority,
                TrustRole::CtLog,
                TrustRole::TransparencyLog,
                TrustRole::TufRepository,
                TrustRole::ImageRegistry,
            ] {
                let one = all.iter().filter(|row| row.trusts_as == Some(role));
                assert_eq!(one.count(), 1, "{role:?} with Rekor {}", rekor.name());
            }
            let shown = all.iter().filter_map(|row| row.log?.rekor());
            assert_eq!(shown.collect::<Vec<_>>(), [rekor.newest()]);
        }
    }

    /// Every command is one of a program that is built for it, and Go's own name of a
    /// program is that of no other.
    #[test]
    fn each_command_is_built() {
        let repo = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest = Manifest::read(repo).unwrap();
        for rekor in [Versions::V1, Versions::V2] {
            for server in manifest.chosen(rekor) {
                let word = server.command.split_whitespace().next().unwrap();
                let builds = |row: &&ProgramRow| row.name == word && row.is_for(rekor);
                let all = manifest.programs.iter().filter(builds);
                assert_eq!(all.count(), 1, "{word} with Rekor {}", rekor.name());
            }
        }
        let together = manifest.programs.iter().filter(|row| !row.is_renamed());
        let names: BTreeSet<_> = together.map(ProgramRow::own_name).collect();
        let renamed = manifest.programs.iter().filter(|row| row.is_renamed());
        assert_eq!(names.len() + renamed.count(), manifest.programs.len());
    }

    /// What go.mod locks is what is built.
    #[test]
    fn programs_are_the_tools_of_go_mod() {
        let repo = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let locked = std::fs::read_to_string(repo.join("deploy/local/go.mod")).unwrap();
        let tools = locked
            .split_once("tool (\n")
            .unwrap()
            .1
            .split_once(')')
            .unwrap()
            .0;
        let tools: BTreeSet<_> = tools
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let manifest = Manifest::read(repo).unwrap();
        let packages = manifest.programs.iter().map(|row| row.package.as_str());
        let foreign: BTreeSet<_> = packages.filter(|name| !name.starts_with("./")).collect();
        assert_eq!(foreign, tools);
    }
}
