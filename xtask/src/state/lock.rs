//! Lock files: who changes the state directory does so alone.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::State;
use crate::exec::interrupt;
use crate::fail::{Fail, broken};

impl State {
    /// Holds the state for a command that changes it; `None` where there is none
    /// and the command does not `make` it.
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
                // The name is only for others to read, and a full disk must not
                // prevent an uninstall.
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

/// Holds a file for a moment; a second process waits until the first lets go.
pub(crate) fn exclusive(path: &Path) -> Result<Lock> {
    exclusive_or(path, &|| {})
}

/// Holds a file for a moment, and calls `waiting` once where another process holds it.
pub(crate) fn exclusive_or(path: &Path, waiting: &dyn Fn()) -> Result<Lock> {
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
