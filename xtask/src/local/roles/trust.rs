//! What a local installation keeps: whom to believe, and what was signed.

use std::path::PathBuf;

use anyhow::Result;

use crate::artifact::Signature;
use crate::fail::{Fail, not_so};
use crate::local::Local;
use crate::target::Trust;
use crate::text::quote;

impl Trust for Local {
    fn installed(&self) -> bool {
        self.installed
    }

    fn dir(&self) -> PathBuf {
        self.dir.clone()
    }

    fn require_installed(&self) -> Result<()> {
        Local::require_installed(self)
    }

    fn lost(&self, signature: &Signature) -> Result<Option<Fail>> {
        let Some(number) = signature.shard else {
            return Ok(None);
        };
        if number == self.settings.rekor_v1.len() {
            return Ok(None);
        }
        let what = format!("the entry was in shard {number} of Rekor v1, which has ended");
        let bundle = quote(&signature.bundle.to_string_lossy());
        Ok(Some(not_so(what).hint(format!(
            "the bundle still proves it: cargo xtask inspect-rekor --bundle {bundle}"
        ))))
    }
}
