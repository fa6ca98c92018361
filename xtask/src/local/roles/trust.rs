//! What a local installation keeps: whom to believe, and what was signed.

use std::path::PathBuf;

use anyhow::Result;

use crate::artifact::Signature;
use crate::entry::Version;
use crate::fail::{Fail, broken, not_so};
use crate::local::settings::Settings;
use crate::local::{Local, plans};
use crate::plan::Plan;
use crate::target::{RotatedKey, Trust};
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

    /// One that was interrupted goes on with the key that it had made.
    fn rotate(&self, key: RotatedKey) -> Result<Plan> {
        self.require_installed()?;
        let mut local = self.clone();
        let settings = &mut local.settings;
        let periods = match key {
            RotatedKey::Fulcio => &mut settings.fulcio,
            RotatedKey::Timestamp => &mut settings.timestamp,
            RotatedKey::Ctlog => &mut settings.ctlog,
            RotatedKey::Rekor if settings.rekor.has(Version::V1) => &mut settings.rekor_v1,
            RotatedKey::Rekor => {
                return Err(broken("the log of Rekor v2 keeps its key for good")
                    .hint("that of Rekor v1 can be replaced: cargo xtask install --rekor both")
                    .into());
            }
            RotatedKey::Tuf => &mut settings.tuf,
        };
        if !Settings::is_turning(periods) {
            let next = periods.len() + 1;
            Settings::renew(periods, next);
        }
        plans::rotate(&local, &self.facts()?)
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
