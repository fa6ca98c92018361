//! What is signed and verified, and the memory of a signature: the same on
//! every target.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::entry::Version;
use crate::fail::broken;

/// What is signed or verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Artifact {
    /// An image in a registry, by tag or digest.
    Image(String),
    /// A file, and the bundle that holds its signature.
    Blob {
        /// The file.
        file: PathBuf,
        /// The bundle.
        bundle: PathBuf,
    },
}

impl Artifact {
    /// What a command line names: a file, images, or the sample.
    pub(crate) fn named(
        sample: impl FnOnce() -> Result<String>,
        images: &[String],
        blob: Option<&Path>,
        bundle: Option<&Path>,
    ) -> Result<Vec<Artifact>> {
        if let Some(file) = blob {
            return Ok(vec![Artifact::blob(file, bundle)?]);
        }
        if images.is_empty() {
            return Ok(vec![Artifact::Image(sample()?)]);
        }
        let typo = |image: &&String| image.is_empty() || image.starts_with('-');
        if let Some(option) = images.iter().find(typo) {
            return Err(broken(format!("{option:?} is not an image reference")).into());
        }
        Ok(images.iter().cloned().map(Artifact::Image).collect())
    }

    /// A file, with its bundle beside it where none is named.
    fn blob(file: &Path, bundle: Option<&Path>) -> Result<Artifact> {
        if !file.is_file() {
            return Err(broken(format!("there is no file {}", file.display())).into());
        }
        let file = std::path::absolute(file)?;
        let beside = || {
            let mut name = file.clone().into_os_string();
            name.push(".sigstore.json");
            PathBuf::from(name)
        };
        let bundle = bundle.map_or_else(|| Ok(beside()), std::path::absolute)?;
        Ok(Artifact::Blob { file, bundle })
    }

    /// The reference of the image, or the path of the file.
    pub(crate) fn name(&self) -> String {
        match self {
            Artifact::Image(image) => image.clone(),
            Artifact::Blob { file, .. } => file.display().to_string(),
        }
    }
}

/// A signature that was made here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Signature {
    /// The image by digest, or the file.
    pub artifact: String,
    /// Whether it is an image.
    pub image: bool,
    /// The identity in the certificate.
    pub identity: String,
    /// The issuer in the certificate, where it names one.
    pub issuer: Option<String>,
    /// The version of Rekor that recorded it.
    pub rekor: Version,
    /// Its index in that log, and in that shard of it.
    pub log_index: u64,
    /// The shard of that log, from 1 on, where shards are counted.
    pub shard: Option<usize>,
    /// The bundle, with everything a verifier needs.
    pub bundle: PathBuf,
}
