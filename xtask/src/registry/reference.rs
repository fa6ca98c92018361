//! References to images: where they are, and what they are called there.

use crate::fail::{Fail, broken};
use crate::format::hex::unhex;

/// A reference to an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The registry: `127.0.0.1:17810`.
    pub host: String,
    /// The repository in it.
    pub name: String,
    /// A tag, or a digest.
    pub version: String,
}

impl Reference {
    /// Reads one: `HOST/NAME[:TAG][@DIGEST]`.
    pub fn read(text: &str) -> Result<Reference, Fail> {
        let bad = |why: &str| broken(format!("{text:?} is not an image reference: {why}"));
        // Copied out of a browser, a name begins with one.
        for scheme in ["https://", "http://"] {
            if let Some(image) = text.strip_prefix(scheme) {
                return Err(broken(format!("an image is named without {scheme}"))
                    .hint(format!("leave it out: {image}")));
            }
        }
        let (host, rest) = text
            .split_once('/')
            .filter(|(host, _)| host.contains(['.', ':']) || *host == "localhost")
            .ok_or_else(|| bad("it names no registry"))?;
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (rest, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) => (name, Some(tag)),
            None => (rest, None),
        };
        let plain = |text: &str, more: &[char]| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || more.contains(&c))
        };
        let tag = tag.unwrap_or("latest");
        if !plain(host, &['.', ':', '-', '[', ']'])
            || !plain(name, &['.', '_', '-', '/'])
            || name.split('/').any(|part| matches!(part, "" | "." | ".."))
            || !plain(tag, &['.', '_', '-'])
        {
            return Err(bad("it holds what no name may hold"));
        }
        if let Some(digest) = digest {
            let hex = digest.strip_prefix("sha256:");
            if hex.and_then(unhex).is_none_or(|bytes| bytes.len() != 32) {
                return Err(bad("its digest is not sha256: and 64 digits"));
            }
        }
        Ok(Reference {
            host: host.to_owned(),
            name: name.to_owned(),
            version: digest.unwrap_or(tag).to_owned(),
        })
    }
}
