//! The state directory itself: whose it is, which format it has, and what is in it.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::files::{is_temporary, write};
use crate::fail::{Fail, broken};

/// The format that this version reads and writes.
const FORMAT: u32 = 1;

/// What to do about a directory that cannot be used.
const OTHER_STATE: &str = "name another state directory: --state DIR";

/// The state directory. It need not exist before something is written.
#[derive(Debug, Clone)]
pub struct State {
    root: PathBuf,
}

impl State {
    /// The state directory at `root`, an absolute path.
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
        // A directory that holds files but no version is of another program.
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
        // An empty directory that is there already may be a link or a mount point,
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
}
