//! The signatures below the tag that ends in `.sig`, as cosign wrote before there were
//! bundles.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::client::Repository;
use super::{Found, MOST};
use crate::bundle::{Bundle, Content};
use crate::entry::{Entry, Version};
use crate::fail::{Fail, broken};
use crate::format::certificate::Leaf;
use crate::format::hex::unhex;
use crate::format::protojson::strict_json;

impl Repository<'_> {
    /// The signatures below the tag that ends in `.sig`.
    pub(super) fn legacy(&self, digest: &str) -> Result<Vec<Found>, Fail> {
        let tag = format!("{}.sig", digest.replace(':', "-"));
        let Some(manifest) = self.manifest(&tag)? else {
            return Ok(Vec::new());
        };
        let manifest = self.json(&manifest)?;
        let layers = manifest["layers"].as_array();
        let mut found = Vec::new();
        for layer in layers.into_iter().flatten().take(MOST) {
            if layer["mediaType"] != "application/vnd.dev.cosign.simplesigning.v1+json" {
                continue;
            }
            let payload = self.by_digest("blobs", layer["digest"].as_str().unwrap_or_default())?;
            found.push(Found {
                at: tag.clone(),
                bundle: simple_signing(&layer["annotations"], payload)?,
            });
        }
        Ok(found)
    }
}

/// A bundle made of what cosign wrote beside the payload of simple signing (cosign's
/// `specs/SIGNATURE_SPEC.md`).
pub fn simple_signing(annotations: &Value, payload: Vec<u8>) -> Result<Bundle, Fail> {
    let bad = |what: &str| broken(format!("a signature below the image's .sig tag: {what}"));
    let text = |name: &str| annotations[name].as_str().filter(|text| !text.is_empty());
    let base64 = |text: &str| BASE64_STANDARD.decode(text).ok();
    let signature = text("dev.cosignproject.cosign/signature")
        .and_then(base64)
        .ok_or_else(|| bad("there is none"))?;
    let leaf = text("dev.sigstore.cosign/certificate")
        .map(|pem| Leaf::from_pem(pem.as_bytes()))
        .transpose()
        .map_err(|error| Fail::from_error(&error))?;
    let entry = text("dev.sigstore.cosign/bundle")
        .map(|text| {
            let recorded = strict_json(text.as_bytes()).map_err(|error| bad(&error.to_string()))?;
            let payload = &recorded["Payload"];
            let decoded = |value: &Value| value.as_str().and_then(base64);
            let canonicalized_body = decoded(&payload["body"]).ok_or_else(|| bad("no entry"))?;
            let body = strict_json(&canonicalized_body).map_err(|error| bad(&error.to_string()))?;
            Ok::<_, Fail>(Entry {
                rekor: Version::V1,
                index: payload["logIndex"]
                    .as_u64()
                    .ok_or_else(|| bad("no log index"))?,
                uuid: None,
                integrated: payload["integratedTime"].as_u64(),
                log_id: payload["logID"].as_str().and_then(unhex),
                raw: body.clone(),
                body,
                canonicalized_body,
                promise: decoded(&recorded["SignedEntryTimestamp"]),
                proof: None,
            })
        })
        .transpose()?;
    let timestamps = text("dev.sigstore.cosign/rfc3161timestamp")
        .map(|text| {
            let value = strict_json(text.as_bytes()).map_err(|error| bad(&error.to_string()))?;
            let response = value["SignedRFC3161Timestamp"].as_str().and_then(base64);
            response.ok_or_else(|| bad("no timestamp in its timestamp"))
        })
        .transpose()?;
    // Such a payload names the image itself, so nothing else has to say what was signed.
    let content = Content::Simple { payload, signature };
    Ok(Bundle::of(
        content,
        leaf,
        entry,
        timestamps.into_iter().collect(),
    ))
}
