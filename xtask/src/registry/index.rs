//! Indexes: one image for several platforms (OCI image specification 1.1, `image-index.md`).

use serde_json::Value;

use super::client::Repository;
use super::reference::Reference;
use super::{MOST, signatures};
use crate::bundle;
use crate::fail::{Fail, broken};
use crate::http::Server;

/// The digests of the manifests that an index lists, and those of the indexes in it. An
/// image for one platform lists none.
///
/// # Errors
/// Where the registry does not answer, has no such image, or lists more than are read.
pub(crate) fn listed(server: &Server, image: &Reference) -> Result<Vec<String>, Fail> {
    let repository = Repository { server, image };
    let root = repository.required_manifest()?;
    let mut unread = manifests_of(&repository.json(&root)?);
    let mut listed: Vec<String> = Vec::new();
    while let Some(digest) = unread.pop() {
        if listed.contains(&digest) {
            continue;
        }
        if listed.len() == MOST {
            return Err(broken(format!(
                "{}/{} lists more than {MOST} manifests",
                image.host, image.name
            )));
        }
        let manifest = repository.by_digest("manifests", &digest)?;
        unread.extend(manifests_of(&repository.json(&manifest)?));
        listed.push(digest);
    }
    listed.sort_unstable();
    Ok(listed)
}

/// The digest of an index in the same repository that lists an image and is signed. Only
/// indexes with a tag can be found, and no more than the first tags are looked at.
pub(crate) fn signed_index_of(server: &Server, image: &Reference) -> Option<String> {
    let repository = Repository { server, image };
    let tags = repository.find("tags/list", "application/json").ok()??;
    let tags = repository.json(&tags).ok()?;
    let tags = tags["tags"].as_array()?.iter().filter_map(Value::as_str);
    // Tags of this form are made of a digest, and hold signatures.
    let tags = tags.filter(|tag| !tag.starts_with("sha256-")).take(MOST);
    let mut lists = tags.filter_map(|tag| {
        let manifest = repository.manifest(tag).ok()??;
        let listed = manifests_of(&repository.json(&manifest).ok()?);
        listed
            .contains(&image.version)
            .then(|| bundle::sha256(&manifest))
    });
    lists.find(|index| {
        let index = Reference {
            version: index.clone(),
            ..image.clone()
        };
        signatures(server, &index).is_ok_and(|(_, found)| !found.is_empty())
    })
}

fn manifests_of(manifest: &Value) -> Vec<String> {
    let described = manifest["manifests"].as_array().into_iter().flatten();
    let digests = described.filter_map(|described| described["digest"].as_str());
    digests.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_image_of_one_platform_lists_nothing() {
        assert!(manifests_of(&json!({"config": {}, "layers": []})).is_empty());
        let index = json!({"manifests": [{"digest": "sha256:a"}, {"size": 1}, {"digest": 2}]});
        assert_eq!(manifests_of(&index), ["sha256:a"]);
    }
}
