//! What is signed and verified, and the memory of a signature: the same on
//! every target.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::entry::Version;

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

/// A signature that was made here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
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
    /// Its index in that log; for v1, in that shard.
    pub log_index: u64,
    /// The shard of Rekor v1.
    pub shard: Option<usize>,
    /// The bundle, with everything a verifier needs.
    pub bundle: PathBuf,
}
