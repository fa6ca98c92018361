//! Where the servers of the local target listen, and their command lines.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::Local;
use super::manifest::{ServerRow, TrustRole, fill};
use crate::entry::Version;
use crate::fail::{Fail, broken};
use crate::http::Server;
use crate::target::Signing;

impl Local {
    /// An address on loopback: `127.0.0.1:17810`.
    pub(crate) fn address(&self, port: &str) -> Result<String> {
        Ok(format!(
            "127.0.0.1:{}",
            self.manifest.port(port, &self.settings)?
        ))
    }

    /// A text of `servers.yml` with its placeholders filled in.
    pub(super) fn filled(&self, text: &str) -> Result<String> {
        fill(text, &self.variables()?)
    }

    /// What the placeholders stand for.
    pub(super) fn variables(&self) -> Result<BTreeMap<String, String>> {
        self.manifest.variables(&self.settings)
    }

    /// The address at which clients reach a server.
    pub(crate) fn url(&self, server: &ServerRow) -> Result<String> {
        let url = server.url.as_deref();
        self.filled(url.with_context(|| format!("servers.yml names no url of {}", server.name))?)
    }

    /// The address at which the log of a server is read.
    pub(super) fn read_url(&self, server: &ServerRow) -> Result<String> {
        match &server.read_at {
            Some(elsewhere) => self.filled(elsewhere),
            None => self.url(server),
        }
    }

    /// The server that hands out the tiles of the CT log.
    pub(crate) fn ct_tiles(&self) -> Result<Server> {
        let log = self.manifest.trusted_as(TrustRole::CtLog, self.rekor())?;
        Ok(Server::at(self.read_url(log)?))
    }

    /// The address from which a version of Rekor is read: the API of v1, the tiles of
    /// v2. An error where this version does not run here.
    pub(crate) fn rekor_address(&self, version: Version) -> Result<String> {
        if !self.settings.rekor.has(version) {
            return Err(self.other_rekor(version).into());
        }
        self.url(self.shows_rekor(version)?)
    }

    /// The server that shows the log of a version of Rekor.
    pub(super) fn shows_rekor(&self, version: Version) -> Result<&ServerRow> {
        let shows = |server: &&ServerRow| server.log.and_then(|api| api.rekor()) == Some(version);
        let server = self.manifest.servers.iter().find(shows);
        server.context("servers.yml names no server that shows this log")
    }

    /// The registry of this installation.
    pub(super) fn registry(&self) -> Result<&ServerRow> {
        self.manifest
            .trusted_as(TrustRole::ImageRegistry, self.rekor())
    }

    /// The address at which images are: `127.0.0.1:17810`.
    pub(super) fn registry_address(&self) -> Result<String> {
        self.address(&self.registry()?.port)
    }

    /// The file with the certificates that vouch for the registry, below the target's
    /// directory.
    pub(super) fn registry_certificate(&self) -> Result<String> {
        let key = self.registry()?.key.as_ref();
        let all = key.and_then(|key| key.all.clone());
        all.context("servers.yml names no certificates of the registry")
    }

    /// The command line of a server.
    pub(crate) fn server_words(&self, server: &ServerRow) -> Result<Vec<String>> {
        let line = self.filled(&server.command)?;
        let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        if let Some(program) = words.first_mut() {
            *program = self.build.program(program).to_string_lossy().into_owned();
        }
        Ok(words)
    }

    /// The address that answers once a server is ready.
    pub(crate) fn server_ready(&self, server: &ServerRow) -> Result<String> {
        self.filled(&server.ready)
    }

    /// The server of this name, which this installation runs.
    pub(crate) fn chosen_server(&self, name: &str) -> Result<&ServerRow> {
        let server = self.manifest.server(name)?;
        match server.rekor {
            Some(version) if !self.settings.rekor.has(version) => {
                Err(self.other_rekor(version).into())
            }
            _ => Ok(server),
        }
    }

    fn other_rekor(&self, asked: Version) -> Fail {
        let (asked, runs) = (asked.name(), self.settings.rekor.name());
        broken(format!("this installation runs Rekor {runs}, not {asked}"))
            .hint("run both: cargo xtask install --rekor both")
    }

    /// The files whose change asks for a restart of a server.
    pub(crate) fn used_files(&self, server: &ServerRow) -> Result<Vec<String>> {
        let configs = server.config.iter();
        configs
            .chain(&server.uses)
            .map(|file| self.filled(file))
            .collect()
    }

    /// The ports of a server, the main one first.
    pub(crate) fn server_ports(&self, server: &ServerRow) -> Result<Vec<u16>> {
        let names = std::iter::once(&server.port).chain(&server.also);
        names
            .map(|name| self.manifest.port(name, &self.settings))
            .collect()
    }
}
