//! A pack: the built servers in one archive, for machines without Go and without a network.
//!
//! It is a tar archive with gzip, which the system's own tar writes and reads: `pack.json`,
//! and beside it a directory that is called as the build is, with every program. What the
//! list does not name, or not with this digest, is refused before anything is put in place.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::build::ServerBuild;
use crate::fail::{Fail, broken};
use crate::format::hashing::Hashing;
use crate::format::hex::hex;
use crate::state;

/// The name of the list in the archive.
pub(super) const LIST: &str = "pack.json";

/// What a pack holds.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PackList {
    /// Of this description: 1.
    format: u32,
    /// The system and the processor that the programs are for: `linux-x86_64`.
    platform: String,
    /// The name of the build, which the sources decide.
    build: String,
    /// The files of the build, each with its SHA-256 in hexadecimal.
    files: BTreeMap<String, String>,
}

/// What the programs of this machine are for.
fn platform() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

/// The SHA-256 of a file, in hexadecimal.
pub(crate) fn digest(file: &Path) -> Result<String> {
    let opened = File::open(file).with_context(|| format!("read {}", file.display()))?;
    let hash = Hashing::Sha256.digest_of(opened, |_| {})?;
    Ok(hex(&hash))
}

impl PackList {
    /// What a pack of a build will hold.
    pub(super) fn of(build: &ServerBuild) -> Result<PackList> {
        let mut files = BTreeMap::new();
        for name in build.files() {
            let sum = digest(&build.dir().join(&name))?;
            files.insert(name, sum);
        }
        Ok(PackList {
            format: 1,
            platform: platform(),
            build: build.name(),
            files,
        })
    }

    /// Writes it into a directory.
    pub(super) fn write(&self, dir: &Path) -> Result<()> {
        state::make_dir(dir)?;
        state::write_json(&dir.join(LIST), self)
    }

    /// Refuses a pack of another machine, of other sources, or that lacks a program.
    fn require_for(&self, build: &ServerBuild) -> Result<(), Fail> {
        let PackList {
            format, platform, ..
        } = self;
        if *format != 1 {
            return Err(broken(format!("packs of the format {format} are not read"))
                .hint("use the commit of this repository that it was packed with"));
        }
        let here = self::platform();
        if *platform != here {
            return Err(broken(format!(
                "the pack is for {platform}, and this machine is {here}"
            ))
            .hint("pack one on a machine of this kind: cargo xtask prefetch --pack FILE"));
        }
        if self.build != build.name() {
            return Err(broken(
                "the pack was built from other sources than those of this checkout",
            )
            .hint("use the commit of this repository that it was packed with"));
        }
        let lacks = build
            .files()
            .into_iter()
            .find(|name| !self.files.contains_key(name));
        match lacks {
            Some(name) => Err(broken(format!("the pack lacks {name}")).hint(AGAIN)),
            None => Ok(()),
        }
    }
}

/// What to do about a pack that is not what was packed.
const AGAIN: &str =
    "copy it once more, and compare its digest with the one that `prefetch --pack` said";

/// Checks what was unpacked into a directory, and puts it in place, the file last that makes
/// the build complete. The directory is gone afterwards, whatever came of it.
pub(super) fn take(build: &ServerBuild, unpacked: &Path) -> Result<()> {
    let taken = checked(build, unpacked).and_then(|names| put(build, unpacked, &names));
    let cleared = fs::remove_dir_all(unpacked);
    taken?;
    cleared.with_context(|| format!("remove {}", unpacked.display()))
}

/// The names of the files of an unpacked build, all of which are what the list says.
fn checked(build: &ServerBuild, unpacked: &Path) -> Result<Vec<String>> {
    let damaged = |what: String| broken(format!("the pack is damaged: {what}")).hint(AGAIN);
    let text = state::read(&unpacked.join(LIST))?;
    let text = text.ok_or_else(|| damaged(format!("it holds no {LIST}")))?;
    let list: PackList =
        serde_json::from_slice(&text).map_err(|error| damaged(format!("its {LIST}: {error}")))?;
    list.require_for(build)?;
    let dir = unpacked.join(&list.build);
    for (place, of) in [
        (unpacked, [LIST, &list.build].map(str::to_owned).to_vec()),
        (&dir, list.files.keys().cloned().collect()),
    ] {
        for entry in fs::read_dir(place).with_context(|| format!("read {}", place.display()))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !of.contains(&name) {
                return Err(damaged(format!("its {LIST} does not name {name:?}")).into());
            }
        }
    }
    for (name, sum) in &list.files {
        let file = dir.join(name);
        // A link would lead to a file that nobody packed.
        if !fs::symlink_metadata(&file).is_ok_and(|about| about.is_file()) {
            return Err(damaged(format!("{name} is not there")).into());
        }
        if digest(&file)? != *sum {
            return Err(damaged(format!("{name} is not what was packed")).into());
        }
    }
    Ok(list.files.into_keys().collect())
}

fn put(build: &ServerBuild, unpacked: &Path, names: &[String]) -> Result<()> {
    state::make_dir(build.dir())?;
    let (record, programs): (Vec<_>, Vec<_>) = names.iter().partition(|name| build.is_record(name));
    for name in programs.into_iter().chain(record) {
        let mode = if build.is_record(name) { 0o644 } else { 0o755 };
        let from = unpacked.join(build.name()).join(name);
        fs::set_permissions(&from, Permissions::from_mode(mode))?;
        fs::rename(&from, build.dir().join(name))
            .with_context(|| format!("put {name} in place"))?;
    }
    Ok(())
}
