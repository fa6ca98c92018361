//! What other clients need of a local installation: names and values of variables.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::Local;
use super::manifest::{ServerRow, TrustRole};
use super::trust::{client_config_name, config_name};
use crate::entry::Version;
use crate::target::Signing;

/// Names and values.
type Variables = Vec<(&'static str, String)>;

impl Local {
    /// Every variable that `env` prints.
    pub(super) fn environment(&self) -> Result<Vec<(String, String)>> {
        let mut env: Variables = vec![
            ("WORKSHOP_COSIGN", path(self.build.program("cosign"))),
            (
                "WORKSHOP_TRUSTED_ROOT",
                self.trust_path("trusted_root.json"),
            ),
            (
                "WORKSHOP_SIGNING_CONFIG",
                self.trust_path(&config_name(None)),
            ),
            (
                "WORKSHOP_TRUST_CONFIG",
                self.trust_path(&client_config_name(None)),
            ),
            ("WORKSHOP_TUF_ANCHOR", self.trust_path("root.json")),
        ];
        let mut env_of_servers = Vec::new();
        // Only the newest log counts.
        let counts = |row: &ServerRow| row.rekor.is_none_or(|version| version == self.rekor());
        for row in self.manifest.servers.iter().filter(|row| counts(row)) {
            if let Some(variable) = &row.variable {
                env_of_servers.push((variable.clone(), self.url(row)?));
            }
            if row.trusts_as == Some(TrustRole::OidcProvider) {
                let identity = self.identity(self.default_user())?;
                env_of_servers.push(("WORKSHOP_IDENTITY".to_owned(), identity));
            }
        }
        let owned = |(name, value): (&str, String)| (name.to_owned(), value);
        let mut all: Vec<_> = env.drain(..).map(owned).collect();
        all.extend(env_of_servers);
        all.extend(self.of_logs()?.into_iter().map(owned));
        all.extend(self.of_images()?.into_iter().map(owned));
        let users = path(self.dir.join(self.users_file()?));
        all.extend(
            [
                ("WORKSHOP_USERS", users),
                ("TUF_ROOT", path(self.tuf_root())),
            ]
            .map(owned),
        );
        Ok(all)
    }

    /// Where entries are sent, and what clients of before the trusted root want of Rekor v1.
    fn of_logs(&self) -> Result<Variables> {
        let url = |version| {
            self.url(
                self.manifest
                    .trusted_as(TrustRole::TransparencyLog, version)?,
            )
        };
        let mut env = Vec::new();
        for version in self.versions() {
            match version {
                Version::V2 => env.push(("WORKSHOP_REKOR_V2", url(version)?)),
                Version::V1 => env.extend([
                    ("WORKSHOP_REKOR_V1", url(version)?),
                    (
                        "WORKSHOP_SIGNING_CONFIG_V1",
                        self.trust_path(&config_name(Some(version))),
                    ),
                    (
                        "WORKSHOP_TRUST_CONFIG_V1",
                        self.trust_path(&client_config_name(Some(version))),
                    ),
                    (
                        "WORKSHOP_REKOR_V1_KEY",
                        self.public_key(TrustRole::TransparencyLog)?,
                    ),
                    ("WORKSHOP_CT_LOG_KEY", self.public_key(TrustRole::CtLog)?),
                    ("WORKSHOP_FULCIO_ROOTS", self.authorities()?),
                ]),
            }
        }
        Ok(env)
    }

    /// The registry, and its certificate as a file and in a directory of its own.
    fn of_images(&self) -> Result<Variables> {
        let certificate = path(self.dir.join(self.registry_certificate()?));
        let certificates = path(self.trust_file("registry"));
        Ok(vec![
            ("WORKSHOP_REGISTRY", self.registry_address()?),
            ("WORKSHOP_REGISTRY_CA", certificate),
            ("WORKSHOP_REGISTRY_CERTS", certificates),
            ("WORKSHOP_SAMPLE", self.sample()?),
        ])
    }

    fn trust_path(&self, name: &str) -> String {
        path(self.trust_file(name))
    }

    /// The public key in use of a log that Rekor v1 needs, or of Rekor v1 itself.
    fn public_key(&self, role: TrustRole) -> Result<String> {
        let row = self.manifest.trusted_as(role, Version::V1)?;
        let key = self
            .key(row)?
            .context("servers.yml names no key of the log")?;
        Ok(path(self.dir.join(key.public())))
    }

    /// The certificates of every authority there ever was.
    fn authorities(&self) -> Result<String> {
        let row = self
            .manifest
            .trusted_as(TrustRole::CertificateAuthority, self.rekor())?;
        let all = row.key.as_ref().and_then(|key| key.all.as_deref());
        let all = all.context("servers.yml names no file with all authorities")?;
        Ok(path(self.dir.join(all)))
    }
}

fn path(file: PathBuf) -> String {
    file.to_string_lossy().into_owned()
}
