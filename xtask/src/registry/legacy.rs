//! The signatures below the tag that ends in `.sig`, and the attestations below the one that
//! ends in `.att`, as cosign wrote before there were bundles.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::client::Repository;
use super::{Found, MOST};
use crate::bundle::{Bundle, Content, cosign_entry};
use crate::fail::{Fail, broken};
use crate::format::certificate::Leaf;
use crate::format::protojson::strict_json;

/// What is below a tag: its end, the media type of what was signed, and how that is read with
/// the annotations beside it.
type Form = (
    &'static str,
    &'static str,
    fn(&Value, Vec<u8>) -> Result<Bundle, Fail>,
);

const FORMS: [Form; 2] = [
    (
        "sig",
        "application/vnd.dev.cosign.simplesigning.v1+json",
        simple_signing,
    ),
    ("att", "application/vnd.dsse.envelope.v1+json", attestation),
];

impl Repository<'_> {
    /// The signatures and attestations below the tags that end in `.sig` and `.att`.
    pub(super) fn legacy(&self, digest: &str) -> Result<Vec<Found>, Fail> {
        let mut found = Vec::new();
        for (end, media_type, read) in FORMS {
            let tag = format!("{}.{end}", digest.replace(':', "-"));
            let Some(manifest) = self.manifest(&tag)? else {
                continue;
            };
            let manifest = self.json(&manifest)?;
            let layers = manifest["layers"].as_array();
            for layer in layers.into_iter().flatten().take(MOST) {
                if layer["mediaType"] != media_type {
                    continue;
                }
                let at = layer["digest"].as_str().unwrap_or_default();
                let signed = self.by_digest("blobs", at)?;
                found.push(Found {
                    at: tag.clone(),
                    bundle: read(&layer["annotations"], signed)?,
                });
            }
        }
        Ok(found)
    }
}

/// A bundle made of what cosign wrote beside the payload of simple signing (cosign's
/// `specs/SIGNATURE_SPEC.md`).
pub fn simple_signing(annotations: &Value, payload: Vec<u8>) -> Result<Bundle, Fail> {
    let signature = text(annotations, "dev.cosignproject.cosign/signature").and_then(base64);
    let signature = signature.ok_or_else(|| bad("sig", "there is none"))?;
    // Such a payload names the image itself, so nothing else has to say what was signed.
    let content = Content::Simple { payload, signature };
    with_annotations(annotations, content, "sig")
}

/// A bundle made of an envelope (DSSE) as cosign attached it to an image (cosign's
/// `specs/ATTESTATION_SPEC.md`).
fn attestation(annotations: &Value, envelope: Vec<u8>) -> Result<Bundle, Fail> {
    let value = strict_json(&envelope).map_err(|error| bad("att", &error.to_string()))?;
    let [signature] = value["signatures"]
        .as_array()
        .map_or(&[][..], Vec::as_slice)
    else {
        return Err(bad("att", "its envelope has not one signature"));
    };
    let decoded = |value: &Value| value.as_str().and_then(base64);
    let parts = decoded(&value["payload"]).zip(decoded(&signature["sig"]));
    let (payload, signature) = parts.ok_or_else(|| bad("att", "its envelope cannot be read"))?;
    let content = Content::Envelope {
        payload_type: value["payloadType"].as_str().unwrap_or_default().to_owned(),
        payload,
        signature,
    };
    let mut bundle = with_annotations(annotations, content, "att")?;
    // cosign 2 sent all of it to the timestamp authority (`VerifyRFC3161Timestamp`), and
    // cosign 3 sends the signature in it.
    bundle.envelope = Some(envelope);
    Ok(bundle)
}

fn bad(tag: &str, what: &str) -> Fail {
    broken(format!("a signature below the image's .{tag} tag: {what}"))
}

fn text<'a>(annotations: &'a Value, name: &str) -> Option<&'a str> {
    annotations[name].as_str().filter(|text| !text.is_empty())
}

fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).ok()
}

/// What is signed, with what the annotations hold beside it.
fn with_annotations(annotations: &Value, content: Content, tag: &str) -> Result<Bundle, Fail> {
    let json =
        |text: &str| strict_json(text.as_bytes()).map_err(|error| bad(tag, &error.to_string()));
    let leaf = text(annotations, "dev.sigstore.cosign/certificate")
        .map(|pem| Leaf::from_pem(pem.as_bytes()))
        .transpose()
        .map_err(|error| Fail::from_error(&error))?;
    let entry = text(annotations, "dev.sigstore.cosign/bundle")
        .map(|text| cosign_entry(&json(text)?).map_err(|why| bad(tag, &why)))
        .transpose()?;
    let timestamps = text(annotations, "dev.sigstore.cosign/rfc3161timestamp")
        .map(|text| {
            let value = json(text)?;
            let response = value["SignedRFC3161Timestamp"].as_str().and_then(base64);
            response.ok_or_else(|| bad(tag, "no timestamp in its timestamp"))
        })
        .transpose()?;
    Ok(Bundle::of(
        content,
        leaf,
        entry,
        timestamps.into_iter().collect(),
    ))
}
