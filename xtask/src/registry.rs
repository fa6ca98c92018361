//! Finding the signatures of an image in its registry (OCI distribution and image
//! specifications, version 1.1): referrers, by the registry's API or the tag that
//! stands for it, and the tags that end in `.sig`, as cosign wrote before there were
//! bundles.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::bundle::{self, Bundle, Content};
use crate::entry::{Entry, Version};
use crate::fail::{Fail, broken, not_so};
use crate::format::certificate::Leaf;
use crate::format::hex::unhex;
use crate::format::protojson::strict_json;
use crate::http::Server;

const WITHIN: Duration = Duration::from_secs(20);

/// Indexes and manifests, of OCI and of Docker.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// No image has more signatures that are looked at.
const MOST: usize = 100;

/// A reference to an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The registry: `127.0.0.1:17810`.
    pub host: String,
    /// The repository in it.
    pub name: String,
    /// A tag, or a digest.
    pub version: String,
}

impl Reference {
    /// Reads one: `HOST/NAME[:TAG][@DIGEST]`.
    ///
    /// # Errors
    /// Where the text is none, or names no registry.
    pub fn read(text: &str) -> Result<Reference, Fail> {
        let bad = |why: &str| broken(format!("{text:?} is not an image reference: {why}"));
        let (host, rest) = text
            .split_once('/')
            .filter(|(host, _)| host.contains(['.', ':']) || *host == "localhost")
            .ok_or_else(|| bad("it names no registry"))?;
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (rest, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) => (name, Some(tag)),
            None => (rest, None),
        };
        let plain = |text: &str, more: &[char]| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || more.contains(&c))
        };
        let tag = tag.unwrap_or("latest");
        if !plain(host, &['.', ':', '-', '[', ']'])
            || !plain(name, &['.', '_', '-', '/'])
            || name.split('/').any(|part| matches!(part, "" | "." | ".."))
            || !plain(tag, &['.', '_', '-'])
        {
            return Err(bad("it holds what no name may hold"));
        }
        if let Some(digest) = digest {
            let hex = digest.strip_prefix("sha256:");
            if hex.and_then(unhex).is_none_or(|bytes| bytes.len() != 32) {
                return Err(bad("its digest is not sha256: and 64 digits"));
            }
        }
        Ok(Reference {
            host: host.to_owned(),
            name: name.to_owned(),
            version: digest.unwrap_or(tag).to_owned(),
        })
    }
}

/// A registry that is none of the workshop's: with TLS, but for one on this machine,
/// as cosign does it.
pub fn elsewhere(host: &str) -> Server {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let scheme = match name {
        "localhost" | "127.0.0.1" | "[::1]" => "http",
        _ => "https",
    };
    Server::at(format!("{scheme}://{host}"))
}

/// A signature that was found.
pub struct Found {
    /// The digest of the manifest that holds it, or the tag.
    pub at: String,
    /// The signature.
    pub bundle: Bundle,
}

/// The digest of an image, and its signatures.
///
/// # Errors
/// Where the registry does not answer, or there is no such image (exit status 1).
pub fn signatures(server: &Server, image: &Reference) -> Result<(String, Vec<Found>), Fail> {
    let repository = Repository { server, image };
    let manifest = repository.manifest(&image.version)?.ok_or_else(|| {
        not_so(format!(
            "{} holds no {} with {}",
            image.host, image.name, image.version
        ))
    })?;
    let digest = bundle::sha256(&manifest);
    if image.version.starts_with("sha256:") && image.version != digest {
        return Err(broken(format!(
            "the registry answers with another image: {digest}"
        )));
    }
    let mut found = repository.referrers(&digest)?;
    found.extend(repository.legacy(&digest)?);
    Ok((digest, found))
}

/// Takes the signatures of an image out of its registry: all below the tag that stands
/// for the referrers of the image, or those that state more than that it was signed.
/// What they consist of stays, but nobody finds it.
///
/// # Errors
/// Where the registry does not answer, or refuses.
pub fn forget(server: &Server, image: &Reference, attestations: bool) -> Result<(), Fail> {
    let repository = Repository { server, image };
    let Some(manifest) = repository.manifest(&image.version)? else {
        return Ok(());
    };
    let digest = bundle::sha256(&manifest);
    let tag = digest.replace(':', "-");
    let Some(index) = repository.manifest(&tag)? else {
        return Ok(());
    };
    let index = repository.json(&index)?;
    let gone: Vec<String> = if attestations {
        let mut found = repository.referrers(&digest)?;
        found.retain(|found| found.bundle.content.is_attestation());
        found.into_iter().map(|found| found.at).collect()
    } else {
        bundles_of(&index).map(str::to_owned).collect()
    };
    let Some(index) = without(index, &gone) else {
        return Ok(());
    };
    let path = format!("/v2/{}/manifests/{tag}", image.name);
    let kind = "application/vnd.oci.image.index.v1+json";
    server.put(&path, kind, index.to_string().as_bytes(), WITHIN)
}

/// An index without the manifests of these digests; `None` where it has none of them.
fn without(mut index: Value, gone: &[String]) -> Option<Value> {
    let manifests = index.get_mut("manifests")?.as_array_mut()?;
    let before = manifests.len();
    manifests.retain(|described| {
        let at = described["digest"].as_str();
        !at.is_some_and(|at| gone.iter().any(|gone| gone == at))
    });
    (manifests.len() < before).then_some(index)
}

/// The digests of the manifests in an index that hold bundles.
fn bundles_of(index: &Value) -> impl Iterator<Item = &str> {
    let described = index["manifests"].as_array().into_iter().flatten();
    described.filter_map(|described| {
        let kind = described["artifactType"].as_str()?;
        kind.starts_with("application/vnd.dev.sigstore.bundle")
            .then(|| described["digest"].as_str().unwrap_or_default())
    })
}

struct Repository<'a> {
    server: &'a Server,
    image: &'a Reference,
}

impl Repository<'_> {
    fn manifest(&self, version: &str) -> Result<Option<Vec<u8>>, Fail> {
        self.find(&format!("manifests/{version}"), MANIFESTS)
    }

    fn find(&self, what: &str, accept: &str) -> Result<Option<Vec<u8>>, Fail> {
        let path = format!("/v2/{}/{what}", self.image.name);
        let found = self.server.find_of_type(&path, accept, WITHIN);
        found.map_err(|fail| match fail.what.rsplit_once(" answers ") {
            Some((_, "401" | "403")) => Fail {
                hints: vec![
                    "save the bundle with cosign: cargo xtask inspect-rekor --bundle FILE".into(),
                ],
                what: format!("{} asks for a login", self.image.host),
                ..fail
            },
            _ => fail,
        })
    }

    /// A manifest or a blob by its digest, which it must have.
    fn by_digest(&self, kind: &str, digest: &str) -> Result<Vec<u8>, Fail> {
        let hex = digest.strip_prefix("sha256:");
        if hex.and_then(unhex).is_none_or(|bytes| bytes.len() != 32) {
            return Err(broken(format!(
                "the registry names a digest that is none: {digest:?}"
            )));
        }
        let accept = if kind == "manifests" {
            MANIFESTS
        } else {
            "*/*"
        };
        let bytes = self
            .find(&format!("{kind}/{digest}"), accept)?
            .ok_or_else(|| broken(format!("the registry names {digest} and does not have it")))?;
        if bundle::sha256(&bytes) != digest {
            return Err(broken(format!(
                "the registry answers with another thing than {digest}"
            )));
        }
        Ok(bytes)
    }

    fn json(&self, text: &[u8]) -> Result<Value, Fail> {
        strict_json(text).map_err(|error| {
            broken(format!(
                "{} answers with no manifest: {error}",
                self.image.host
            ))
        })
    }

    /// The bundles among the referrers of an image.
    fn referrers(&self, digest: &str) -> Result<Vec<Found>, Fail> {
        let index = match self.find(&format!("referrers/{digest}"), MANIFESTS)? {
            Some(index) => Some(index),
            // A registry without that API has the same under a tag.
            None => self.manifest(&digest.replace(':', "-"))?,
        };
        let Some(index) = index else {
            return Ok(Vec::new());
        };
        let index = self.json(&index)?;
        let mut found = Vec::new();
        for at in bundles_of(&index).take(MOST) {
            let manifest = self.json(&self.by_digest("manifests", at)?)?;
            let layer = manifest["layers"][0]["digest"].as_str().unwrap_or_default();
            let text = self.by_digest("blobs", layer)?;
            found.push(Found {
                at: at.to_owned(),
                bundle: bundle::read(&text)?,
            });
        }
        Ok(found)
    }

    /// The signatures below the tag that ends in `.sig`.
    fn legacy(&self, digest: &str) -> Result<Vec<Found>, Fail> {
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
///
/// # Errors
/// Where a part of it cannot be read.
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
            let canonical = decoded(&payload["body"]).ok_or_else(|| bad("no entry"))?;
            let body = strict_json(&canonical).map_err(|error| bad(&error.to_string()))?;
            Ok(Entry {
                rekor: Version::V1,
                index: payload["logIndex"]
                    .as_u64()
                    .ok_or_else(|| bad("no log index"))?,
                uuid: None,
                integrated: payload["integratedTime"].as_u64(),
                log_id: payload["logID"].as_str().and_then(unhex),
                raw: body.clone(),
                body,
                canonical,
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
    let content = Content::Simple { payload, signature };
    Ok(Bundle::of(
        content,
        leaf,
        entry,
        timestamps.into_iter().collect(),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_index_is_changed_only_where_something_goes() {
        let index = json!({"schemaVersion": 2, "manifests": [{"digest": "a"}, {"digest": "b"}]});
        let left = json!({"schemaVersion": 2, "manifests": [{"digest": "b"}]});
        assert_eq!(without(index.clone(), &["a".to_owned()]), Some(left));
        assert_eq!(without(index, &["c".to_owned()]), None);
        for odd in [
            json!([]),
            json!("a"),
            json!(null),
            json!({"manifests": "a"}),
        ] {
            assert_eq!(without(odd, &["a".to_owned()]), None);
        }
    }
}
