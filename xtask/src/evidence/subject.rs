//! A file as what must have been signed: hashed part by part, however large it is.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};

use crate::bundle::Content;
use crate::fail::broken;
use crate::format::hashing::Hashing;
use crate::format::hex::hex;
use crate::proof::Subject;

/// A file whose bytes are kept as well is at most this large. They are needed by keys that
/// sign the file and not its digest.
const KEPT: usize = 16 * 1024 * 1024;

/// The name of standard input.
pub(super) const STDIN: &str = "-";

/// A file, or what comes on standard input for `-`.
pub(super) fn subject_file(file: &Path) -> Result<Subject> {
    let mut bytes = Some(Vec::new());
    let digest = hashed(file, Hashing::Sha256, |part| {
        bytes.take_if(|kept| kept.len() + part.len() > KEPT);
        if let Some(kept) = &mut bytes {
            kept.extend_from_slice(part);
        }
    })?;
    Ok(Subject {
        name: file.display().to_string(),
        digest,
        other_digest: None,
        bytes,
    })
}

/// The same file with its digest by the algorithm of a bundle as well.
pub(super) fn as_hashed_in(
    mut subject: Subject,
    file: &Path,
    content: &Content,
) -> Result<Subject> {
    let hashings = content.hashings();
    let known = hashings.contains(&Hashing::Sha256) || subject.bytes.is_some();
    if let Some(hashing) = hashings.first().filter(|_| !known) {
        if file == Path::new(STDIN) {
            let what = "what comes on standard input is too large to be hashed twice";
            return Err(broken(what).hint("name a file").into());
        }
        subject.other_digest = Some(hashed(file, *hashing, |_| {})?);
    }
    Ok(subject)
}

/// The digest of a file, `sha256:…`.
fn hashed(file: &Path, hashing: Hashing, see: impl FnMut(&[u8])) -> Result<String> {
    let reader: Box<dyn Read> = if file == Path::new(STDIN) {
        Box::new(std::io::stdin())
    } else {
        Box::new(open(file)?)
    };
    let digest = hashing.digest_of(reader, see);
    let digest = digest.with_context(|| format!("read {}", file.display()))?;
    Ok(format!("{}:{}", hashing.name(), hex(&digest)))
}

/// Opens what can be read to an end: a pipe may have none.
fn open(file: &Path) -> Result<File> {
    let about = file.metadata();
    let about = about.map_err(|_| broken(format!("there is no file {}", file.display())))?;
    if !about.is_file() {
        return Err(broken(format!("{} is not a file", file.display())).into());
    }
    File::open(file).with_context(|| format!("read {}", file.display()))
}
