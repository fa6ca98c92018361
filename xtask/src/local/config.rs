//! The configuration of the servers: templates of `deploy/local`, filled in with
//! ports, users and trees.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Local;
use super::manifest::fill;
use super::settings::Settings;
use crate::fail::broken;
use crate::state;

/// Configuration that depends on nothing but the settings and the users.
const CONFIGS: [&str; 3] = ["config/dex.yml", "config/fulcio.yml", "config/registry.yml"];

/// The certificates that the CT log accepts: every Fulcio CA there ever was.
const ROOTS: &str = "keys/fulcio-roots.pem";

/// A user of Dex.
#[derive(Clone, Deserialize)]
pub struct User {
    /// The word that `--as` takes.
    pub name: String,
    /// The identity in the certificate.
    pub email: String,
    /// The password, for the browser's login page and the password grant.
    pub password: String,
    /// Its bcrypt hash.
    pub hash: String,
    /// Dex's id of the user.
    pub id: String,
}

impl Local {
    /// Fills in the template of a configuration: `config/NAME` is made from
    /// `deploy/local/NAME`.
    ///
    /// # Errors
    /// Where a placeholder stands for nothing or the file cannot be written.
    pub fn render(&self, config: &str, more: &[(&str, &str)]) -> Result<()> {
        let text = self.rendered(config, more)?;
        state::write(&self.dir.join(config), text.as_bytes(), 0o600)
    }

    fn rendered(&self, config: &str, more: &[(&str, &str)]) -> Result<String> {
        let name = Path::new(config)
            .file_name()
            .context("a configuration without a name")?;
        let path = self.repo.join("deploy/local").join(name);
        let template =
            std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let mut variables = self.manifest.variables(&self.settings)?;
        variables.extend(
            more.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        variables.extend(self.users()?.into_iter().flat_map(|user| {
            let User {
                name,
                email,
                hash,
                id,
                ..
            } = user;
            [
                (format!("{name}.email"), email),
                (format!("{name}.hash"), hash),
                (format!("{name}.id"), id),
            ]
        }));
        fill(&template, &variables).with_context(|| format!("fill in {}", path.display()))
    }

    /// The users that Dex knows.
    ///
    /// # Errors
    /// Where the file that holds them is damaged.
    pub fn users(&self) -> Result<Vec<User>> {
        #[derive(Deserialize)]
        struct Users {
            users: Vec<User>,
        }
        let path = self.dir.join("keys/users.yml");
        let Some(text) = state::read(&path)? else {
            return Ok(Vec::new());
        };
        let users: Users = serde_yaml::from_slice(&text).map_err(|error| {
            broken(format!("{} is damaged: {error}", path.display()))
                .hint("delete it; `cargo xtask start` makes new users")
        })?;
        Ok(users.users)
    }

    /// Whether settings and configuration on disk are what they should be.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn configured(&self) -> Result<bool> {
        if Settings::read(&self.dir)?.as_ref() != Some(&self.settings) || self.users()?.is_empty() {
            return Ok(false);
        }
        for config in CONFIGS {
            let on_disk = state::read(&self.dir.join(config))?;
            if on_disk.as_deref() != Some(self.rendered(config, &[])?.as_bytes()) {
                return Ok(false);
            }
        }
        Ok(state::read(&self.dir.join(ROOTS))?
            .is_some_and(|on_disk| self.roots().is_ok_and(|roots| roots == on_disk)))
    }

    /// Writes settings and configuration (`cargo xtask step configure`).
    ///
    /// # Errors
    /// Where the keys are not there or a file cannot be written.
    pub fn configure(&self) -> Result<()> {
        self.settings.write(&self.dir)?;
        for config in CONFIGS {
            self.render(config, &[])?;
        }
        state::write(&self.dir.join(ROOTS), &self.roots()?, 0o644)?;
        // The tiles are served from here, maybe before Rekor v2 wrote the first.
        state::make_dir(&self.dir.join("data/rekor-v2"))
    }

    fn roots(&self) -> Result<Vec<u8>> {
        let mut roots = Vec::new();
        for number in 1..=self.settings.fulcio.len() {
            let name = format!("keys/fulcio-{number}.pem");
            let pem = state::read(&self.dir.join(&name))?;
            roots.extend(
                pem.ok_or_else(|| {
                    broken(format!("{name} is missing")).hint("cargo xtask install")
                })?,
            );
        }
        Ok(roots)
    }
}
