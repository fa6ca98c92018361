//! The bundles among the referrers of an image: by the registry's API, or by the tag that
//! stands for it.

use serde_json::Value;

use super::client::{MANIFESTS, Repository, WITHIN};
use super::reference::Reference;
use super::{Found, MOST};
use crate::bundle;
use crate::fail::Fail;
use crate::http::Server;

/// Takes the signatures of an image out of its registry: all below the tag that stands
/// for the referrers of the image, or those that state more than that it was signed.
/// What they consist of stays, but nobody finds it.
pub(crate) fn forget(server: &Server, image: &Reference, attestations: bool) -> Result<(), Fail> {
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
    described(index, is_bundle)
}

/// The same, and the digests of those of which an index does not say what they are: registries
/// that make it themselves take that from the configuration, which is empty.
fn candidates(index: &Value) -> impl Iterator<Item = &str> {
    const EMPTY: &str = "application/vnd.oci.empty.v1+json";
    described(index, |kind| {
        kind.is_null() || kind == EMPTY || is_bundle(kind)
    })
}

/// The digests of the manifests in an index whose type is wanted.
fn described(index: &Value, wanted: fn(&Value) -> bool) -> impl Iterator<Item = &str> {
    let described = index["manifests"].as_array().into_iter().flatten();
    let wanted = described.filter(move |described| wanted(&described["artifactType"]));
    wanted.map(|described| described["digest"].as_str().unwrap_or_default())
}

/// Whether that is the media type of a bundle.
fn is_bundle(media_type: &Value) -> bool {
    let media_type = media_type.as_str();
    media_type.is_some_and(|kind| kind.starts_with("application/vnd.dev.sigstore.bundle"))
}

impl Repository<'_> {
    /// The bundles among the referrers of an image.
    pub(super) fn referrers(&self, digest: &str) -> Result<Vec<Found>, Fail> {
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
        for at in candidates(&index).take(MOST) {
            let manifest = self.json(&self.by_digest("manifests", at)?)?;
            let layer = &manifest["layers"][0];
            // What the index does not say, the manifest does.
            let types = [&manifest["artifactType"], &manifest["config"]["mediaType"]];
            if !types
                .into_iter()
                .chain([&layer["mediaType"]])
                .any(is_bundle)
            {
                continue;
            }
            let text = self.by_digest("blobs", layer["digest"].as_str().unwrap_or_default())?;
            found.push(Found {
                at: at.to_owned(),
                bundle: bundle::read(&text)?,
            });
        }
        Ok(found)
    }
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
