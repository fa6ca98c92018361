//! The objects that hand out a TUF repository in a cluster: a ConfigMap with the files, and
//! a Deployment that is another one with each publication.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Publisher;
use crate::cluster::object::{DEFAULT, Metadata, Object, labels};
use crate::cluster::yaml;
use crate::format::hashing::sha256_hash;
use crate::format::hex::hex;

/// The ConfigMap with all that is handed out.
pub(super) const CONFIG_MAP: &str = "sigstore-tuf";

/// What runs in the cluster.
pub(super) const DEPLOYMENT: &str = "deploy/deploy-tuf.yml";

/// The annotation of pods that says what they hand out.
pub(super) const PUBLISHED: &str = "sigstore-workshop/published";

/// Where its pods listen.
pub(super) const PORT: u16 = 8080;

/// What is handed out: paths below the repository, and what is there.
pub(super) type Published = BTreeMap<String, String>;

/// The Deployment as the repository has it.
pub(super) fn manifest(repo: &Path) -> Result<Value> {
    let deployment = yaml::read(&repo.join(DEPLOYMENT))?;
    serde_json::to_value(deployment).context("a manifest is not an object")
}

/// The key in the ConfigMap for a path below the repository.
fn key(path: &str) -> &str {
    Path::new(path)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or(path)
}

pub(super) fn config_map(published: &Published) -> Value {
    let data: BTreeMap<&str, &String> = published
        .iter()
        .map(|(path, text)| (key(path), text))
        .collect();
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": CONFIG_MAP, "namespace": DEFAULT, "labels": labels()},
        "data": data,
    })
}

/// What tells what is handed out from anything else.
pub(super) fn digest(published: &Published) -> String {
    let parts: Vec<&[u8]> = published
        .iter()
        .flat_map(|(path, text)| [path.as_bytes(), text.as_bytes()])
        .collect();
    hex(&sha256_hash(&parts))
}

/// The name of the newest pod that hands this out, of those that stay.
pub(super) fn pod_with<'a>(pods: &'a [Object], published: &str) -> Option<&'a str> {
    let stay = pods.iter().map(|pod| &pod.metadata);
    let stay = stay.filter(|pod| pod.deletion_timestamp.is_none());
    let has = |pod: &&Metadata| {
        pod.annotations
            .get(PUBLISHED)
            .is_some_and(|of| of == published)
    };
    let newest = stay
        .filter(has)
        .max_by_key(|pod| pod.creation_timestamp.as_deref());
    newest.map(|pod| &*pod.name)
}

/// Has the Deployment of the manifest hand this out: a repository as it is, or files of
/// which its program makes one. A change of it is a new pod, which has it at once.
pub(super) fn fill_in(deployment: &mut Value, publisher: Publisher, published: &Published) {
    let template = &mut deployment["spec"]["template"];
    template["metadata"]["annotations"] = json!({ PUBLISHED: digest(published) });
    if publisher != Publisher::Here {
        return;
    }
    let items: Vec<Value> = published
        .keys()
        .map(|path| json!({"key": key(path), "path": path}))
        .collect();
    let spec = &mut template["spec"];
    spec["volumes"][0]["configMap"]["items"] = json!(items);
    let container = &mut spec["containers"][0];
    container["args"] = json!(["--mode=serve", "--target-dir=/srv/tuf"]);
    container["volumeMounts"][0]["mountPath"] = json!("/srv/tuf/repository");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_the_repository() -> Value {
        manifest(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
    }

    fn published(names: &[&str]) -> Published {
        let owned = |name: &&str| ((*name).to_owned(), "{}".to_owned());
        names.iter().map(owned).collect()
    }

    #[test]
    fn a_repository_that_is_made_is_only_handed_out() {
        let files = published(&["1.root.json", "targets/00.trusted_root.json"]);
        let mut deployment = of_the_repository();
        fill_in(&mut deployment, Publisher::Here, &files);
        let pod = &deployment["spec"]["template"]["spec"];
        let items = pod["volumes"][0]["configMap"]["items"].clone();
        let wanted = json!([
            {"key": "1.root.json", "path": "1.root.json"},
            {"key": "00.trusted_root.json", "path": "targets/00.trusted_root.json"},
        ]);
        assert_eq!(items, wanted);
        let arguments = pod["containers"][0]["args"].to_string();
        assert!(arguments.contains("--mode=serve"), "{arguments}");
        let mounted = &pod["containers"][0]["volumeMounts"][0];
        assert_eq!(mounted["name"], "published");
        assert_eq!(mounted["mountPath"], "/srv/tuf/repository");
    }

    /// While a publication takes the place of another, the pods of both are up.
    #[test]
    fn the_root_is_that_of_the_new_pod() {
        let pod = |name: &str, of: &str, made: &str| {
            let annotations = json!({ PUBLISHED: of });
            json!({"metadata": {"name": name, "annotations": annotations, "creationTimestamp": made}})
        };
        let mut ends = pod("ends", "new", "2026-01-04T00:00:00Z");
        ends["metadata"]["deletionTimestamp"] = json!("2026-01-05T00:00:00Z");
        let pods = [
            pod("before", "old", "2026-01-03T00:00:00Z"),
            pod("first", "new", "2026-01-01T00:00:00Z"),
            pod("second", "new", "2026-01-02T00:00:00Z"),
            ends,
        ];
        let pods = pods.map(Object::from_json);
        assert_eq!(pod_with(&pods, "new"), Some("second"));
        assert_eq!(pod_with(&pods, "newer"), None);
        let of_manifest = &of_the_repository()["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(of_manifest["ports"][0]["containerPort"], PORT);
    }

    /// What is handed out changes the pods, so that they have it at once.
    #[test]
    fn the_manifest_stands_for_a_repository_of_the_pod() {
        let files = published(&["trusted_root.json", "signing_config.v0.2.json"]);
        let mut deployment = of_the_repository();
        fill_in(&mut deployment, Publisher::Pod, &files);
        let mut template = deployment["spec"]["template"].clone();
        let annotations = template["metadata"]["annotations"].take();
        assert_eq!(annotations[PUBLISHED], digest(&files).as_str());
        assert_eq!(
            template["spec"],
            of_the_repository()["spec"]["template"]["spec"]
        );
        let others = published(&["trusted_root.json"]);
        assert_ne!(digest(&files), digest(&others));
    }
}
