//! The role of a target that keeps what verifiers need and what was signed.

use std::path::PathBuf;

use anyhow::Result;

use crate::artifact::Signature;
use crate::fail::Fail;
use crate::plan::Plan;
use crate::signatures;
use crate::target::{KeyInUse, RotateOptions};

/// What an installation keeps on this machine.
pub(crate) trait Trust {
    /// Whether an install was begun, here or by one of its stages.
    fn installed(&self) -> bool;

    /// The directory in which this target keeps what it remembers.
    fn dir(&self) -> PathBuf;

    /// Fails where nothing is installed.
    fn require_installed(&self) -> Result<()>;

    /// The trusted root of this installation.
    fn trusted_root(&self) -> Result<PathBuf> {
        self.require_installed()?;
        Ok(self.dir().join("trust").join("trusted_root.json"))
    }

    /// The signatures made here, oldest first; the paths of their bundles are
    /// absolute.
    fn signatures(&self) -> Result<Vec<Signature>> {
        self.require_installed()?;
        signatures::all(&self.dir())
    }

    /// The keys that are in use, and since when.
    fn keys_in_use(&self) -> Result<Vec<KeyInUse>>;

    /// The plan that replaces a key; what it signed stays verifiable.
    fn rotate(&self, asked: &RotateOptions) -> Result<Plan>;

    /// Why the entry of a signature is gone from its log; `None` where it is still there.
    fn lost(&self, signature: &Signature) -> Result<Option<Fail>>;
}
