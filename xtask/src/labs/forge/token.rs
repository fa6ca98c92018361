//! Identity tokens (JSON Web Tokens) that an attacker changed or made up.

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::format::private_key::PrivateKey;

/// A token in its parts.
#[derive(Clone)]
pub(crate) struct IdToken {
    header: Value,
    claims: Value,
    signature: Vec<u8>,
}

impl IdToken {
    /// Parses a token.
    pub(crate) fn read(text: &str) -> Result<IdToken> {
        let parts = text.trim().split('.');
        let mut parts = parts.map(|part| BASE64_URL_SAFE_NO_PAD.decode(part));
        let mut part = || -> Result<Vec<u8>> {
            let part = parts.next().context("a token has three parts")?;
            part.context("read a part of a token")
        };
        Ok(IdToken {
            header: serde_json::from_slice(&part()?)?,
            claims: serde_json::from_slice(&part()?)?,
            signature: part()?,
        })
    }

    /// Changes a claim, and keeps the signature.
    pub(crate) fn claim(mut self, name: &str, value: &str) -> IdToken {
        self.claims[name] = value.into();
        self
    }

    /// Signs it with a key that nobody has published.
    pub(crate) fn signed_by_nobody(mut self) -> Result<IdToken> {
        self.header["alg"] = "ES256".into();
        let key = PrivateKey::random_of_tokens()?;
        self.signature = key.sign(self.signed().as_bytes())?;
        Ok(self)
    }

    /// The token as a client sends it.
    pub(crate) fn text(&self) -> String {
        let signature = BASE64_URL_SAFE_NO_PAD.encode(&self.signature);
        format!("{}.{signature}", self.signed())
    }

    /// What the signature is over (RFC 7515, section 5.1).
    fn signed(&self) -> String {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }
}
