//! minikube: one profile of it, whether it runs, and what its node has.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::exec::{each_line_of, output_of};
use crate::fail::{Fail, broken};
use crate::plan::{Command, Word};
use crate::words;

/// One profile of minikube, which has the name of kubectl's context.
#[derive(Debug, Clone)]
pub(crate) struct Minikube {
    pub(super) profile: String,
}

impl Minikube {
    /// A call of minikube on this profile.
    pub(crate) fn command(&self, words: Vec<Word>) -> Command {
        let profile = words!["--profile", &self.profile];
        Command::new([words!["minikube"], words, profile].concat())
    }

    /// Whether it runs; `false` where it does not say.
    pub(crate) fn runs(&self) -> bool {
        let list = self.command(words!["profile", "list", "--output=json"]);
        let Ok(text) = output_of(&list, None) else {
            return false;
        };
        let said: Value = serde_json::from_str(&text).unwrap_or_default();
        let profiles = said["valid"].as_array().into_iter().flatten();
        profiles
            .filter(|profile| profile["Name"] == *self.profile)
            .any(|profile| {
                // "OK" since minikube 1.32, "Running" before.
                let status = profile["Status"].as_str().unwrap_or_default();
                ["OK", "Running"].contains(&status)
            })
    }

    /// The domain that resolves to its address, which is known while it runs.
    pub(crate) fn nip_io(&self) -> Result<String> {
        if !self.runs() {
            return Err(broken("the address of minikube is known once it runs")
                .hint("start it first: cargo xtask minikube")
                .into());
        }
        let address = output_of(&self.command(words!["ip"]), None)?;
        Ok(format!("{}.nip.io", address.trim()))
    }

    /// Those of these images that its node has not.
    pub(crate) fn lacking_images(&self, images: &[String]) -> Result<Vec<String>> {
        let list = self.on_node(words!["sudo", "crictl", "images", "--output", "json"]);
        let said: Value = serde_json::from_str(&output_of(&list, None)?)
            .context("the node's list of images is not JSON")?;
        let there = there(&said);
        let lacking = images
            .iter()
            .filter(|image| !there.contains(&version_of(image)));
        Ok(lacking.cloned().collect())
    }

    /// Has the node fetch an image, as the kubelet would. `minikube image pull` succeeds
    /// also where it fetched nothing.
    pub(crate) fn pull(&self, image: &str) -> Result<(), Fail> {
        let pull = self.on_node(words!["sudo", "crictl", "pull", image]);
        each_line_of(&pull, &mut |_| true).map_err(|error| {
            let fail = Fail::from_error(&error);
            Fail {
                what: format!("the image {image} was not fetched: {}", fail.what),
                ..fail
            }
        })
    }

    fn on_node(&self, words: Vec<Word>) -> Command {
        let ssh = words!["minikube", "ssh", "--profile", &self.profile, "--"];
        Command::new([ssh, words].concat())
    }
}

/// What a node has, as the container runtime interface tells it.
fn there(said: &Value) -> BTreeSet<(String, String)> {
    let images = said["images"].as_array().into_iter().flatten();
    images
        .flat_map(|image| [&image["repoTags"], &image["repoDigests"]])
        .flat_map(|names| names.as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .map(version_of)
        .collect()
}

/// The full name of an image, and its digest, or its tag where it has none: the tag
/// beside a digest counts for nothing, and Docker Hub's images have short names.
fn version_of(reference: &str) -> (String, String) {
    let (rest, digest) = match reference.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (reference, None),
    };
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (rest, "latest"),
    };
    let is_host = |host: &str| host.contains(['.', ':']) || host == "localhost";
    let on_hub = match name.split_once('/') {
        Some(("docker.io", rest)) => Some(rest),
        Some((host, _)) if is_host(host) => None,
        _ => Some(name),
    };
    let name = match on_hub {
        Some(short) if !short.contains('/') => format!("docker.io/library/{short}"),
        Some(short) => format!("docker.io/{short}"),
        None => name.to_owned(),
    };
    (name, digest.unwrap_or(tag).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_image_is_known_under_each_of_its_names() {
        let digest = format!("sha256:{}", "5a".repeat(32));
        let said = json!({"images": [
            // As Docker names it, and as containerd does.
            {"id": "sha256:1", "repoTags": [], "repoDigests": [format!("redis@{digest}")]},
            {"id": "sha256:2", "repoTags": ["docker.io/library/registry:3.1.1"], "repoDigests": []},
            {"id": "sha256:3", "repoTags": null, "repoDigests": [format!("ghcr.io/sigstore/fulcio@{digest}")]},
        ]});
        let there = there(&said);
        for image in [
            format!("docker.io/redis@{digest}"),
            format!("docker.io/library/redis:8@{digest}"),
            "registry:3.1.1".to_owned(),
            format!("ghcr.io/sigstore/fulcio:v1.8.8@{digest}"),
        ] {
            assert!(there.contains(&version_of(&image)), "{image}");
        }
        for image in [
            "docker.io/library/registry".to_owned(),
            "localhost:5000/registry:3.1.1".to_owned(),
            format!("docker.io/library/registry:3.1.1@{digest}"),
            format!("quay.io/sigstore/fulcio@{digest}"),
        ] {
            assert!(!there.contains(&version_of(&image)), "{image}");
        }
    }

    #[test]
    fn a_list_that_is_none_has_nothing() {
        for said in [json!(null), json!({"images": 7}), json!({"images": [7]})] {
            assert!(there(&said).is_empty(), "{said}");
        }
    }
}
