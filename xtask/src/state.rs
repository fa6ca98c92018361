//! The state directory: everything the workshop remembers, readable by its
//! owner only, and never half-written.
//!
//! ```text
//! .workshop/          mode 0700
//!   version           the format of what follows, a number
//!   lock              held while a command changes anything
//!   target            the target chosen for the commands to come
//!   progress.json     what was done of the chapters
//!   local/            one folder a target
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::exec::interrupt;
use crate::fail::{Fail, broken};

/// The format that this version reads and writes.
const FORMAT: u32 = 1;

/// Files larger than this are not ours.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The state directory. It need not exist before something is written.
#[derive(Debug, Clone)]
pub struct State {
    root: PathBuf,
}

impl State {
    /// The state directory at `root`, an absolute path.
    ///
    /// # Errors
    /// Where it belongs to someone else, cannot be read, is not a state
    /// directory, or has another format.
    pub fn open(root: PathBuf) -> Result<State> {
        let meta = match fs::metadata(&root) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(State { root }),
            other => {
                other.with_context(|| format!("read the state directory {}", root.display()))?
            }
        };
        if !meta.is_dir() {
            return Err(broken(format!("{} is not a directory", root.display()))
                .hint(OTHER_STATE)
                .into());
        }
        let me = rustix::process::geteuid().as_raw();
        if meta.uid() != me {
            let owner = meta.uid();
            let what = format!(
                "the state directory {} belongs to user {owner}, not to you ({me})",
                root.display()
            );
            return Err(broken(what).hint(OTHER_STATE).into());
        }
        let state = State { root };
        match fs::read_to_string(state.path("version")) {
            Ok(text) => state.check_format(text.trim())?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut entries = fs::read_dir(&state.root).context("read the state directory")?;
                if entries.any(|entry| entry.is_ok_and(|entry| !is_temporary(&entry))) {
                    let what = format!(
                        "{} holds files but no state of this workshop",
                        state.root.display()
                    );
                    return Err(broken(what).hint(OTHER_STATE).into());
                }
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("read {}", state.path("version").display()));
            }
        }
        Ok(state)
    }

    fn check_format(&self, text: &str) -> Result<(), Fail> {
        let root = self.root.display();
        match text.parse::<u32>() {
            Ok(FORMAT) => Ok(()),
            Ok(format) if format > FORMAT => Err(broken(format!(
                "{root} was made by a newer version of the workshop (format {format})"
            ))
            .hint("update this checkout: git pull")
            .hint(OTHER_STATE)),
            Ok(format) => Err(broken(format!(
                "{root} was made by an older version of the workshop (format {format})"
            ))
            .hint("move it away and run `cargo xtask install`")
            .hint(OTHER_STATE)),
            Err(_) => Err(broken(format!("{root}/version does not hold a number"))
                .hint(format!(
                    "where nothing else is damaged, write {FORMAT} into it"
                ))
                .hint(OTHER_STATE)),
        }
    }

    /// Makes the directory, if it is not there, and marks its format.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn create(&self) -> Result<()> {
        if self.path("version").exists() {
            return Ok(());
        }
        let format = format!("{FORMAT}\n");
        // It is made whole under another name, so that a command that starts at
        // the same time sees either none or all of it.
        let mut name = self.root.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.new", std::process::id()));
        let whole = self.root.with_file_name(name);
        // Where it is there already, empty, it may be a link or a mount point,
        // which nothing can be renamed to.
        if !self.root.is_dir() && write(&whole.join("version"), format.as_bytes(), 0o600).is_ok() {
            let _ = fs::rename(&whole, &self.root);
        }
        let _ = fs::remove_dir_all(&whole);
        if self.path("version").exists() {
            return Ok(());
        }
        write(&self.path("version"), format.as_bytes(), 0o600)
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path in it.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(name)
    }

    /// Removes the directory where no target has anything in it any more.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn remove_if_empty(&self) -> Result<()> {
        let ours = ["version", "lock", "target", "lab.lock", "progress.lock"];
        let foreign = |name: &std::ffi::OsStr| !ours.iter().any(|ours| name == *ours);
        let Ok(mut entries) = fs::read_dir(&self.root) else {
            return Ok(());
        };
        if entries.any(|entry| entry.is_ok_and(|entry| foreign(&entry.file_name()))) {
            return Ok(());
        }
        fs::remove_dir_all(&self.root).with_context(|| format!("remove {}", self.root.display()))
    }

    /// Holds the state for a command that changes it; `None` where there is none
    /// and the command does not `make` it.
    ///
    /// # Errors
    /// Where another command holds it; the sentence says which.
    pub fn lock(&self, command: &str, make: bool) -> Result<Option<Lock>> {
        if make {
            self.create()?;
        } else if !self.path("version").exists() {
            return Ok(None);
        }
        let path = self.path("lock");
        let mut file = open_private(&path)?;
        match file.try_lock() {
            Ok(()) => {
                // Who holds it is only told to others, and a full disk must not
                // keep anybody from an uninstall.
                let _ = file.set_len(0);
                let _ = write!(
                    file,
                    "cargo xtask {command} (process {})",
                    std::process::id()
                );
                Ok(Some(Lock { file, alone: true }))
            }
            Err(fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = (&file).take(200).read_to_string(&mut holder);
                Err(busy(&holder).into())
            }
            Err(fs::TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("lock {}", path.display()))
            }
        }
    }

    /// Holds the state for a command that only uses it, beside others that do;
    /// `None` where there is nothing to hold yet.
    ///
    /// # Errors
    /// Where a command that changes it is at work.
    pub fn share(&self) -> Result<Option<Lock>> {
        if !self.path("version").exists() {
            return Ok(None);
        }
        let mut file = open_private(&self.path("lock"))?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Lock { file, alone: false })),
            Err(fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.rewind();
                let _ = (&file).take(200).read_to_string(&mut holder);
                Err(busy(&holder).into())
            }
            Err(fs::TryLockError::Error(error)) => Err(error).context("lock the state directory"),
        }
    }
}

const OTHER_STATE: &str = "name another state directory: --state DIR";

fn busy(holder: &str) -> Fail {
    let holder = if holder.is_empty() {
        "another command"
    } else {
        holder
    };
    broken(format!("{holder} is at work on this state directory"))
        .hint("wait until it has ended, or use another state directory: --state DIR")
}

/// Holds a lock file until it is dropped or the process ends.
pub struct Lock {
    file: File,
    /// Whether it was held by this process alone, which then wrote its name.
    alone: bool,
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.alone {
            let _ = self.file.set_len(0);
        }
    }
}

/// Holds a file for a moment; whoever comes second waits.
///
/// # Errors
/// Where the file system refuses.
pub fn exclusive(path: &Path) -> Result<Lock> {
    exclusive_or(path, &|| {})
}

/// The same, and says so first where somebody else holds it.
///
/// # Errors
/// Where the file system refuses, or the user interrupts the waiting.
pub fn exclusive_or(path: &Path, waiting: &dyn Fn()) -> Result<Lock> {
    let file = open_private(path)?;
    let mut said = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock { file, alone: true }),
            Err(fs::TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("lock {}", path.display()));
            }
            Err(fs::TryLockError::WouldBlock) if interrupt::interrupted() => {
                return Err(broken("interrupted while waiting for another command").into());
            }
            Err(fs::TryLockError::WouldBlock) => {
                if !std::mem::replace(&mut said, true) {
                    waiting();
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

fn open_private(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("open {}", path.display()))
}

/// Whether a file is one that [`write`] is about to rename.
fn is_temporary(entry: &fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().ends_with(".new")
}

/// Makes a directory and its parents, all with mode 0700 where they are new.
///
/// # Errors
/// Where the file system refuses.
pub fn make_dir(path: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("make the directory {}", path.display()))
}

/// Writes a whole file or leaves the old one: a temporary file beside it, then
/// a rename.
///
/// # Errors
/// Where the file system refuses, a full disk included.
pub fn write(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let doing = || format!("write {}", path.display());
    if let Some(parent) = path.parent() {
        make_dir(parent)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    // Threads of one process write side by side as well.
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    name.push(format!(".{}-{count}.new", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(&temporary)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(content)?;
        file.sync_data()?;
        fs::rename(&temporary, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    match written {
        Err(error) if error.kind() == ErrorKind::StorageFull => Err(broken(format!(
            "the disk is full: {} cannot be written",
            path.display()
        ))
        .hint("make room, then run the same command again: df -h")
        .into()),
        other => other.with_context(doing),
    }
}

/// Writes a value as JSON, readable by its owner only.
///
/// # Errors
/// Where the file system refuses.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_vec_pretty(value).context("write JSON")?;
    text.push(b'\n');
    write(path, &text, 0o600)
}

/// Reads a JSON file; `None` where there is none.
///
/// # Errors
/// Where it cannot be read or is not what it should be; the sentence names it.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let Some(text) = read(path)? else {
        return Ok(None);
    };
    match serde_json::from_slice(&text) {
        Ok(value) => Ok(Some(value)),
        Err(error) => Err(broken(format!("{} is damaged: {error}", path.display()))
            .hint(
                "put it back from a copy, or begin anew: cargo xtask uninstall --yes --keep-tools",
            )
            .into()),
    }
}

/// Reads a whole file of at most 16 MiB; `None` where there is none.
///
/// # Errors
/// Where it cannot be read or is larger.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>> {
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
///
/// # Errors
/// Where the file system refuses.
pub fn forget(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
