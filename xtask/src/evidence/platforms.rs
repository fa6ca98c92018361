//! The images that are meant: those that an index lists, one for each platform, and each
//! once, by however many names.

use std::collections::BTreeSet;

use anyhow::Result;

use super::from_image::registry_of;
use crate::artifact::Artifact;
use crate::registry::{self, Reference};
use crate::target::Target;

/// Artifacts, each index followed by what it lists, and each artifact once.
///
/// # Errors
/// Where a registry does not answer, or an image is not there.
pub(crate) fn with_platforms(
    target: Option<&dyn Target>,
    artifacts: Vec<Artifact>,
) -> Result<Vec<Artifact>> {
    let mut all: Vec<Artifact> = Vec::new();
    for artifact in artifacts {
        let mut listed = Vec::new();
        if let Artifact::Image(image) = &artifact {
            let reference = Reference::read(image)?;
            let reached = registry_of(target, &reference)?;
            let Reference { host, name, .. } = &reference;
            for digest in registry::listed(&reached.server, &reference)? {
                listed.push(Artifact::Image(format!("{host}/{name}@{digest}")));
            }
        }
        for artifact in std::iter::once(artifact).chain(listed) {
            if !all.contains(&artifact) {
                all.push(artifact);
            }
        }
    }
    Ok(all)
}

/// Artifacts without the images that are there under another name already: by tag, and by the
/// digest that the tag leads to. Where that cannot be asked, all stay.
pub(crate) fn each_image_once(target: &dyn Target, artifacts: Vec<Artifact>) -> Vec<Artifact> {
    let place = |artifact: &Artifact| match artifact {
        Artifact::Image(image) => Reference::read(image).ok(),
        Artifact::Blob { .. } => None,
    };
    let references: Vec<Option<Reference>> = artifacts.iter().map(place).collect();
    let beside = |one: &Reference| {
        let all = references.iter().flatten();
        all.filter(|other| (&other.host, &other.name) == (&one.host, &one.name))
            .count()
            > 1
    };
    let mut seen = BTreeSet::new();
    let mut is_first = |reference: &Option<Reference>| {
        let asked = reference.as_ref().filter(|reference| beside(reference));
        let digest = asked.and_then(|reference| {
            let reached = registry_of(Some(target), reference).ok()?;
            registry::digest(&reached.server, reference).ok()
        });
        match (asked, digest) {
            (Some(Reference { host, name, .. }), Some(digest)) => {
                seen.insert((host.clone(), name.clone(), digest))
            }
            _ => true,
        }
    };
    let kept: Vec<bool> = references.iter().map(&mut is_first).collect();
    let all = artifacts.into_iter().zip(kept);
    all.filter_map(|(artifact, kept)| kept.then_some(artifact))
        .collect()
}
