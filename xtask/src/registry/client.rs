//! Reading a repository of a registry: manifests and blobs, each of which is what its
//! digest says.

use std::time::Duration;

use serde_json::Value;

use super::reference::Reference;
use crate::bundle;
use crate::fail::{Fail, broken};
use crate::format::hex::unhex;
use crate::format::protojson::strict_json;
use crate::http::Server;

pub(super) const WITHIN: Duration = Duration::from_secs(20);

/// Indexes and manifests, of OCI and of Docker.
pub(super) const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// A repository, and the image in it that is asked about.
pub(super) struct Repository<'a> {
    pub(super) server: &'a Server,
    pub(super) image: &'a Reference,
}

impl Repository<'_> {
    pub(super) fn manifest(&self, version: &str) -> Result<Option<Vec<u8>>, Fail> {
        self.find(&format!("manifests/{version}"), MANIFESTS)
    }

    /// The manifest of the image that is asked about, which must have its digest where it
    /// is named by one.
    pub(super) fn required_manifest(&self) -> Result<Vec<u8>, Fail> {
        let Reference {
            host,
            name,
            version,
        } = self.image;
        let is_digest = version.starts_with("sha256:");
        let manifest = self.manifest(version)?.ok_or_else(|| {
            let by = if is_digest { '@' } else { ':' };
            broken(format!("{host} has no image {name}{by}{version}"))
        })?;
        let digest = bundle::sha256(&manifest);
        if is_digest && *version != digest {
            return Err(broken(format!(
                "the registry answers with another image: {digest}"
            )));
        }
        Ok(manifest)
    }

    pub(super) fn find(&self, what: &str, accept: &str) -> Result<Option<Vec<u8>>, Fail> {
        let path = format!("/v2/{}/{what}", self.image.name);
        let found = self.server.find_of_type(&path, accept, WITHIN);
        found.map_err(|unanswered| match unanswered.status {
            Some(401 | 403) => Fail {
                hints: vec![
                    "save the bundle with cosign: cargo xtask inspect-rekor --bundle FILE".into(),
                ],
                what: format!("{} asks for a login", self.image.host),
                ..unanswered.fail
            },
            _ => unanswered.fail,
        })
    }

    /// A manifest or a blob by its digest, which it must have.
    pub(super) fn by_digest(&self, kind: &str, digest: &str) -> Result<Vec<u8>, Fail> {
        let hex = digest.strip_prefix("sha256:");
        if hex.and_then(unhex).is_none_or(|bytes| bytes.len() != 32) {
            return Err(broken(format!(
                "the registry names something that is not a digest: {digest:?}"
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

    pub(super) fn json(&self, text: &[u8]) -> Result<Value, Fail> {
        strict_json(text).map_err(|error| {
            broken(format!(
                "{} answers with no manifest: {error}",
                self.image.host
            ))
        })
    }
}
