//! What is signed and verified, and the memory of a signature: the same on
//! every target.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::entry::Version;
use crate::fail::{Fail, broken, not_so};
use crate::text::quote;
use crate::{bundle, state};

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

/// How the name of a bundle ends, after the name of the file that it is of.
const BUNDLE: &str = ".sigstore.json";

impl Artifact {
    /// What a word names: what is there as a file is one, and anything else an image. `sample`
    /// names the workshop's own image, for a hint.
    pub(crate) fn named(word: &str, sample: impl FnOnce() -> Result<String>) -> Result<Artifact> {
        // No registry is named like a path, also where the file is not there or is hidden.
        let is_path = ["/", "./", "../"]
            .iter()
            .any(|begin| word.starts_with(begin));
        if is_path || Path::new(word).exists() {
            return Artifact::file(Path::new(word), None);
        }
        if word.is_empty() || word.starts_with('-') {
            return Err(broken(format!("{word:?} is not an image reference")).into());
        }
        for scheme in ["https://", "http://"] {
            if let Some(image) = word.strip_prefix(scheme) {
                return Err(broken(format!("an image is named without {scheme}"))
                    .hint(format!("leave it out: {image}"))
                    .into());
            }
        }
        let (first, rest) = word.split_once('/').unwrap_or((word, ""));
        let has_registry = !rest.is_empty() && (first.contains(['.', ':']) || first == "localhost");
        if !has_registry {
            let what = format!("there is no file {word}, and an image is named with its registry");
            let sample = sample().unwrap_or_default();
            let fail = match sample.split_once('/') {
                Some((registry, _)) => {
                    broken(what).hint(format!("in the workshop's: {registry}/{word}"))
                }
                None => broken(what),
            };
            return Err(fail.into());
        }
        Ok(Artifact::Image(word.to_owned()))
    }

    /// The file that a bundle is of, where the name of the bundle tells it: a file is signed,
    /// and `FILE.sigstore.json` is not.
    pub(crate) fn of_bundle(word: &str) -> Result<Option<Artifact>> {
        let file = word.strip_suffix(BUNDLE).map(Path::new);
        let of = file.filter(|file| Path::new(word).is_file() && file.is_file());
        of.map(|file| Artifact::file(file, Some(Path::new(word))))
            .transpose()
    }

    /// A file, with its bundle beside it where none is named.
    pub(crate) fn file(file: &Path, bundle: Option<&Path>) -> Result<Artifact> {
        let name = file.display();
        match std::fs::metadata(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(broken(format!("there is no file {name}")).into());
            }
            Err(error) => return Err(broken(format!("{name} cannot be read: {error}")).into()),
            Ok(about) if about.is_dir() => {
                return Err(broken(format!("{name} is a directory"))
                    .hint(format!(
                        "name the files in it: {}/*",
                        name.to_string().trim_end_matches('/')
                    ))
                    .into());
            }
            // A pipe has no end that is known, and cannot be read twice.
            Ok(about) if !about.is_file() => {
                return Err(broken(format!("{name} is not a file")).into());
            }
            Ok(_) => {}
        }
        if let Err(error) = std::fs::File::open(file) {
            return Err(broken(format!("{name} cannot be read: {error}")).into());
        }
        let file = std::path::absolute(file)?;
        let bundle = bundle.map_or_else(|| Ok(beside(&file)), std::path::absolute)?;
        Ok(Artifact::Blob { file, bundle })
    }

    /// Fails where the bundle of a file cannot be written: once it is signed, that is in
    /// the log, and nobody could verify it.
    pub(crate) fn require_place_for_bundle(&self) -> Result<()> {
        let Artifact::Blob { file, bundle } = self else {
            return Ok(());
        };
        let name = bundle.display();
        let cannot = |why: &str| broken(format!("the bundle cannot be written to {name}: {why}"));
        let same = bundle == file || bundle.exists() && is_one_file(bundle, file)?;
        if same {
            return Err(cannot("that is the file itself").into());
        }
        let dir = bundle.parent().unwrap_or(Path::new("/"));
        if bundle.is_dir() {
            return Err(cannot("that is a directory").into());
        }
        // A dangling link is there as well.
        if bundle.symlink_metadata().is_ok() && !bundle.is_file() {
            return Err(cannot("that is not a file").into());
        }
        let there = state::read(bundle)?.unwrap_or_default();
        if !there.is_empty() && bundle::read(&there).is_err() {
            let what = "something else than a bundle is there";
            return Err(cannot(what).hint("name another one: --bundle FILE").into());
        }
        if !dir.is_dir() {
            let make = format!("make it: mkdir -p {}", quote(&dir.to_string_lossy()));
            return Err(cannot("there is no such directory").hint(make).into());
        }
        let tried = if bundle.exists() {
            std::fs::OpenOptions::new()
                .append(true)
                .open(bundle)
                .map(drop)
        } else {
            tempfile::tempfile_in(dir).map(drop)
        };
        tried
            .map_err(|error| cannot(&error.to_string()).hint("name another one: --bundle FILE"))?;
        Ok(())
    }

    /// Fails where a file has no bundle.
    ///
    /// # Errors
    /// Exit status 1: the file is not signed.
    pub(crate) fn require_bundle(&self) -> Result<(), Fail> {
        match self {
            Artifact::Blob { file, bundle } if !bundle.is_file() => {
                if is_bundle(file) {
                    let name = file.display();
                    let what = format!("the file that {name} is of is not beside it");
                    let hint = format!("name both: --blob FILE --bundle {name}");
                    return Err(broken(what).hint(hint));
                }
                let file = quote(&file.to_string_lossy());
                Err(not_so(format!(
                    "the file carries no signature: there is no {}",
                    bundle.display()
                ))
                .hint(format!("sign it: cargo xtask sign --blob {file}"))
                .hint("or name the bundle: --bundle FILE"))
            }
            _ => Ok(()),
        }
    }

    /// The reference of the image, or the path of the file.
    pub(crate) fn name(&self) -> String {
        match self {
            Artifact::Image(image) => image.clone(),
            Artifact::Blob { file, .. } => file.display().to_string(),
        }
    }

    /// The options of the commands that inspect, for its signatures.
    pub(crate) fn inspected_by(&self) -> String {
        match self {
            Artifact::Image(image) => quote(image),
            Artifact::Blob { file, bundle } => {
                let [file, bundle] = [file, bundle].map(|path| quote(&path.to_string_lossy()));
                format!("--blob {file} --bundle {bundle}")
            }
        }
    }
}

/// Whether two names lead to one file.
fn is_one_file(one: &Path, other: &Path) -> Result<bool> {
    let (one, other) = (one.metadata()?, other.metadata()?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

/// Fails where the bundles of two files would be one file.
pub(crate) fn require_own_bundles(artifacts: &[Artifact]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for artifact in artifacts {
        if let Artifact::Blob { bundle, .. } = artifact {
            let place = std::fs::canonicalize(bundle).unwrap_or_else(|_| bundle.clone());
            if !seen.insert(place) {
                let what = format!("two files have one bundle: {}", bundle.display());
                return Err(broken(what)
                    .hint("remove the link, or sign one of them")
                    .into());
            }
        }
    }
    Ok(())
}

/// Whether a file is named like a bundle.
pub(crate) fn is_bundle(file: &Path) -> bool {
    file.to_str().is_some_and(|name| name.ends_with(BUNDLE))
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(BUNDLE);
    PathBuf::from(name)
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
