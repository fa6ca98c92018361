//! Files that are never half-written, and that only their owner reads.

use std::fs::{self, File, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fail::broken;

/// Files larger than this are not ours.
const LARGEST: u64 = 16 * 1024 * 1024;

/// How the name of a file ends that [`write`] is about to rename.
const TEMPORARY: &str = ".new";

/// Whether a file is one that [`write`] is about to rename.
pub(super) fn is_temporary(entry: &fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().ends_with(TEMPORARY)
}

/// Makes a directory and its parents, all with mode 0700 where they are new.
pub(crate) fn make_dir(path: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("make the directory {}", path.display()))
}

/// Writes a whole file or leaves the old one: a temporary file beside it, with a random
/// name and for its owner only, is renamed once all of it is on the disk.
pub(crate) fn write(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let dir = path.parent().context("a file without a directory")?;
    make_dir(dir)?;
    let mut prefix = path.file_name().unwrap_or_default().to_os_string();
    prefix.push(".");
    let written = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(TEMPORARY)
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(dir)
        .and_then(|mut file| {
            file.write_all(content)?;
            // What others may read they read once it is whole.
            file.as_file()
                .set_permissions(Permissions::from_mode(mode))?;
            file.as_file().sync_data()?;
            Ok(file.persist(path)?)
        });
    match written {
        Err(error) if error.kind() == ErrorKind::StorageFull => Err(broken(format!(
            "the disk is full: {} cannot be written",
            path.display()
        ))
        .hint("make room, then run the same command again: df -h")
        .into()),
        Err(error) => Err(error).with_context(|| format!("write {}", path.display())),
        Ok(_) => Ok(()),
    }
}

/// Writes a value as JSON, readable by its owner only.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_vec_pretty(value).context("write JSON")?;
    text.push(b'\n');
    write(path, &text, 0o600)
}

/// Reads a JSON file; `None` where there is none.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let Some(text) = read(path)? else {
        return Ok(None);
    };
    match serde_json::from_slice(&text) {
        Ok(value) => Ok(Some(value)),
        Err(error) => Err(broken(format!("{} is damaged: {error}", path.display()))
            .hint(
                "put it back from a copy, or start over: cargo xtask uninstall --yes --keep-tools",
            )
            .into()),
    }
}

/// Reads a whole file of at most 16 MiB; `None` where there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    // Nobody may ever write to a pipe, and a device may have no end.
    if path
        .metadata()
        .is_ok_and(|about| !about.is_file() && !about.is_dir())
    {
        return Err(broken(format!("{} is not a file", path.display())).into());
    }
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.with_context(|| format!("read {}", path.display()))?,
    };
    let mut text = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut text)
        .with_context(|| format!("read {}", path.display()))?;
    if text.len() as u64 > LARGEST {
        return Err(broken(format!("{} is larger than 16 MiB", path.display())).into());
    }
    Ok(Some(text))
}

/// Removes a file, where it is there.
pub(crate) fn forget(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
