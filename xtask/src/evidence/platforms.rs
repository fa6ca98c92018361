//! The images that an index lists, one for each platform.

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
