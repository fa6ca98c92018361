//! The configuration of the servers: templates of `deploy/local`, filled in with
//! ports, users and trees.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Local;
use super::manifest::{KeyRecipe, KeyRow, fill};
use super::settings::Settings;
use crate::fail::broken;
use crate::state;

/// A user of Dex.
#[derive(Clone, Deserialize)]
pub(crate) struct User {
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
    pub(crate) fn render(&self, config: &str) -> Result<()> {
        let text = self.rendered(config)?;
        state::write(&self.dir.join(config), text.as_bytes(), 0o600)
    }

    fn rendered(&self, config: &str) -> Result<String> {
        let name = Path::new(config)
            .file_name()
            .context("a configuration without a name")?;
        let path = self.repo.join("deploy/local").join(name);
        let template =
            std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let mut variables = self.variables()?;
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
    pub(crate) fn users(&self) -> Result<Vec<User>> {
        #[derive(Deserialize)]
        struct Users {
            users: Vec<User>,
        }
        let path = self.dir.join(self.users_file()?);
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
    pub(crate) fn configured(&self) -> Result<bool> {
        if Settings::read(&self.dir)?.as_ref() != Some(&self.settings) || self.users()?.is_empty() {
            return Ok(false);
        }
        for config in self.configs() {
            let on_disk = state::read(&self.dir.join(config))?;
            if on_disk.as_deref() != Some(self.rendered(config)?.as_bytes()) {
                return Ok(false);
            }
        }
        for (file, key) in self.collected() {
            let on_disk = state::read(&self.dir.join(file))?;
            let wanted = self.all_certificates(key).ok();
            if on_disk.is_none() || on_disk != wanted {
                return Ok(false);
            }
        }
        for server in &self.manifest.servers {
            if self.data(server)?.is_some_and(|data| !data.exists()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes settings and configuration (`cargo xtask step configure`).
    pub(crate) fn configure(&self) -> Result<()> {
        for config in self.configs() {
            self.render(config)?;
        }
        self.collect_certificates()?;
        // The tiles are served from such a directory, maybe before the first is written.
        for server in &self.manifest.servers {
            if let Some(data) = self.data(server)? {
                state::make_dir(&data)?;
            }
        }
        // Last, so that what they speak of is there.
        self.settings.write(&self.dir)?;
        self.claim().remember();
        Ok(())
    }

    /// Writes the files that collect certificates.
    pub(crate) fn collect_certificates(&self) -> Result<()> {
        for (file, key) in self.collected() {
            state::write(&self.dir.join(file), &self.all_certificates(key)?, 0o644)?;
        }
        Ok(())
    }

    /// Removes the passwords that were replaced.
    pub(crate) fn forget_former_users(&self) -> Result<()> {
        let keys = self.manifest.servers.iter().flat_map(|row| &row.key);
        for row in keys.filter(|row| row.kind == KeyRecipe::Users) {
            let all = self.keys(row)?;
            let former = all.split_last().map_or(&[][..], |(_, former)| former);
            for key in former {
                state::forget(&self.dir.join(key.public()))?;
            }
        }
        Ok(())
    }

    /// The configuration that depends on nothing but the settings and the users.
    fn configs(&self) -> impl Iterator<Item = &str> {
        self.manifest
            .servers
            .iter()
            .filter_map(|row| row.config.as_deref())
    }

    /// The files that collect the certificates of a key and of those before it.
    fn collected(&self) -> impl Iterator<Item = (&str, &KeyRow)> {
        let keys = self.manifest.servers.iter().flat_map(|row| &row.key);
        keys.filter_map(|key| Some((key.all.as_deref()?, key)))
    }
}
