//! Who signs on the local target, and with what.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Local;
use super::config::User;
use super::manifest::TrustRole;
use crate::bundle;
use crate::cosign::Cosign;
use crate::entry::Version;
use crate::fail::{Fail, broken};
use crate::target::Signing;
use crate::target::steps::SigningTarget;
use crate::{http, state};

impl Local {
    /// The user of this name; an error lists the names that exist.
    pub(crate) fn user(&self, name: &str) -> Result<User> {
        let users = self.users()?;
        let names: Vec<_> = users.iter().map(|user| user.name.clone()).collect();
        if users.is_empty() {
            return Err(broken("there are no users")
                .hint("make them again: cargo xtask start")
                .into());
        }
        users
            .into_iter()
            .find(|user| user.name == name)
            .ok_or_else(|| {
                broken(format!("there is no user {name:?}"))
                    .hint(format!("the users are: {}", names.join(", ")))
                    .into()
            })
    }

    /// The cosign that signs and verifies here.
    pub(super) fn cosign(&self) -> Result<Cosign> {
        let port = self.manifest.port(&self.registry()?.port, &self.settings)?;
        Ok(Cosign {
            program: self.build.program("cosign"),
            tuf_root: self.tuf_root(),
            trusted_root: self.trust_file("trusted_root.json"),
            registry: ["127.0.0.1", "localhost"]
                .map(|host| format!("{host}:{port}"))
                .into(),
            registry_ca: self.dir.join(self.registry_certificate()?),
            env: Vec::new(),
        })
    }

    /// A file of the trust material.
    pub(crate) fn trust_file(&self, name: &str) -> PathBuf {
        self.dir.join("trust").join(name)
    }

    /// Asks Dex for an identity token of a user for one of its clients, by the password
    /// grant.
    pub(crate) fn identity_token(&self, user: &str, client: &str) -> Result<String> {
        self.require_own(TrustRole::OidcProvider)?;
        let user = self.user(user)?;
        let form = [
            ("grant_type", "password"),
            ("client_id", client),
            ("scope", "openid email profile"),
            ("username", &user.email),
            ("password", &user.password),
        ];
        let url = format!("{}/token", self.issuer()?);
        let answer =
            http::post_form(&url, &form, Duration::from_secs(20)).map_err(|fail| Fail {
                what: format!(
                    "Dex gives no identity token to {}: {}",
                    user.email, fail.what
                ),
                ..fail
            })?;
        let answer: Value = serde_json::from_slice(&answer)
            .context("Dex answers with something that is not JSON")?;
        let token = answer["id_token"]
            .as_str()
            .ok_or_else(|| broken("Dex answers without an identity token"))?;
        Ok(token.to_owned())
    }
}

impl SigningTarget for Local {
    fn require_fulcio(&self) -> Result<()> {
        self.require_own(TrustRole::CertificateAuthority)
    }

    fn write_token(&self, user: &str, out: &Path) -> Result<()> {
        let token = self.identity_token(user, "sigstore")?;
        state::write(out, token.as_bytes(), 0o600)
    }

    fn name_of_image(&self, image: String, _: &Path, _: Option<&str>) -> Result<String> {
        Ok(image)
    }

    /// By what the entry says: a key may have turned since.
    fn shard_of(&self, rekor: Version, bundle: &Path) -> Result<Option<usize>> {
        let text = state::read(bundle)?.unwrap_or_default();
        let entry = bundle::read(&text).ok().and_then(|bundle| bundle.entry);
        let Some(id) = entry.and_then(|entry| entry.log_id) else {
            return Ok(None);
        };
        let log = self
            .manifest
            .trusted_as(TrustRole::TransparencyLog, rekor)?;
        self.shard_with_id(log, &id)
    }
}
