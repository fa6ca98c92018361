//! A Sigstore bundle as cosign writes it (protobuf-specs, `sigstore_bundle.proto`,
//! media types `…bundle+json;version=0.1` to `…bundle.v0.3+json`).

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::certificate::Leaf;
use crate::fail::broken;

/// A bundle, parsed as JSON; its fields are read when asked for.
pub struct Bundle(Value);

/// Reads a bundle.
///
/// # Errors
/// Where it is no JSON object with a bundle's media type.
pub fn read(text: &[u8]) -> Result<Bundle> {
    let value: Value = serde_json::from_slice(text)
        .map_err(|error| broken(format!("that is no bundle: {error}")))?;
    let kind = value["mediaType"].as_str().unwrap_or_default();
    if !kind.starts_with("application/vnd.dev.sigstore.bundle") {
        return Err(broken("that is no Sigstore bundle: its mediaType says otherwise").into());
    }
    Ok(Bundle(value))
}

impl Bundle {
    /// The leaf certificate: alone since v0.3, the first of a chain before.
    ///
    /// # Errors
    /// Where there is none, as in a bundle signed with a key.
    pub fn leaf(&self) -> Result<Leaf> {
        let material = &self.0["verificationMaterial"];
        let raw = material["certificate"]["rawBytes"]
            .as_str()
            .or_else(|| material["x509CertificateChain"]["certificates"][0]["rawBytes"].as_str())
            .ok_or_else(|| {
                broken("the bundle holds no certificate: it was signed with a key, not an identity")
            })?;
        Leaf::from_der(
            &BASE64_STANDARD
                .decode(raw)
                .context("the certificate in the bundle is no base64")?,
        )
    }

    /// The digest that the statement in it names (in-toto, `subject`): `sha256:…`;
    /// `None` where it holds none, as one of a bare signature.
    pub fn subject_digest(&self) -> Option<String> {
        let payload = self.0["dsseEnvelope"]["payload"].as_str()?;
        let statement: Value =
            serde_json::from_slice(&BASE64_STANDARD.decode(payload).ok()?).ok()?;
        let digest = statement["subject"][0]["digest"]["sha256"].as_str()?;
        Some(format!("sha256:{digest}"))
    }

    /// The index of its log entry.
    ///
    /// # Errors
    /// Where it has no log entry or the index is no number.
    pub fn log_index(&self) -> Result<u64> {
        let entry = &self.0["verificationMaterial"]["tlogEntries"][0];
        if entry.is_null() {
            return Err(broken("the bundle holds no log entry").into());
        }
        // Protobuf writes 64-bit numbers as strings and leaves zero out.
        match &entry["logIndex"] {
            Value::Null => Ok(0),
            Value::String(text) => text
                .parse()
                .context("the log index in the bundle is no number"),
            other => other
                .as_u64()
                .context("the log index in the bundle is no number"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(entry: &str) -> Vec<u8> {
        format!(
            r#"{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{{"tlogEntries":[{entry}]}}}}"#
        )
        .into_bytes()
    }

    #[test]
    fn an_index_of_zero_is_left_out_by_protobuf() {
        assert_eq!(read(&bundle("{}")).unwrap().log_index().unwrap(), 0);
        assert_eq!(
            read(&bundle(r#"{"logIndex":"7"}"#))
                .unwrap()
                .log_index()
                .unwrap(),
            7
        );
        assert!(
            read(&bundle(r#"{"logIndex":"-7"}"#))
                .unwrap()
                .log_index()
                .is_err()
        );
        assert!(read(&bundle("")).unwrap().log_index().is_err());
    }

    #[test]
    fn what_is_no_bundle_is_refused() {
        for text in ["", "[]", "{}", "<html>", r#"{"mediaType":"text/html"}"#] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
