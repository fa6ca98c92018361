//! What is signed and verified, and the memory of a signature: the same on
//! every target.

mod bundle_place;

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::entry::Version;
use crate::fail::{Fail, NOT_SO, broken, not_so};
use crate::text::{nearest, quote};

pub(crate) use bundle_place::require_own_bundles;

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
        // Programs are given it as text, and would look for another file.
        if [Some(file), bundle]
            .iter()
            .flatten()
            .any(|path| path.to_str().is_none())
        {
            return Err(not_utf8(file.as_os_str()).into());
        }
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

    /// The same, where an attestation is asked for.
    pub(crate) fn require_statement(&self, attested: bool) -> Result<(), Fail> {
        let missing = self.require_bundle();
        missing.map_err(|fail| {
            if attested {
                self.not_attested(fail)
            } else {
                fail
            }
        })
    }

    /// The failure of what carries nothing, where an attestation is asked for: none is made
    /// by signing.
    pub(crate) fn not_attested(&self, fail: Fail) -> Fail {
        let verb = match self {
            _ if fail.exit != NOT_SO => return fail,
            Artifact::Image(_) => "attest",
            Artifact::Blob { .. } => "attest-blob",
        };
        let hint = format!("attest it with cosign {verb}: cargo xtask env names its options");
        Fail {
            hints: vec![hint],
            ..fail
        }
    }

    /// The reference of the image, or the path of the file.
    pub(crate) fn name(&self) -> String {
        match self {
            Artifact::Image(image) => image.clone(),
            Artifact::Blob { file, .. } => file.display().to_string(),
        }
    }

    /// The same for a person: the path of a file from where they are, where that is shorter.
    pub(crate) fn shown(&self) -> String {
        match self {
            Artifact::Image(image) => image.clone(),
            Artifact::Blob { file, .. } => nearest(file),
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

/// The failure of a name that is no text.
pub(crate) fn not_utf8(name: &OsStr) -> Fail {
    broken(format!(
        "the name {:?} is not UTF-8",
        name.to_string_lossy()
    ))
    .hint("give the file another name, or a link of another name")
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
