//! What a local installation keeps: whom to believe, and what was signed.

use std::path::PathBuf;

use anyhow::Result;

use crate::artifact::Signature;
use crate::entry::Version;
use crate::fail::{Fail, broken, not_so};
use crate::local::settings::CountedKey;
use crate::local::{Local, plans};
use crate::plan::Plan;
use crate::target::{KeyInUse, RotateOptions, RotatedKey, Trust};
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

    /// Those that no trusted root names as well.
    fn keys_in_use(&self) -> Result<Vec<KeyInUse>> {
        let servers = self.manifest.chosen(self.settings.rekor);
        let mut keys = Vec::new();
        for name in servers.filter_map(|row| Some(row.key.as_ref()?.name)) {
            // Until it has its end, the one before is in use as well.
            let periods = self.settings.periods(name);
            let used = periods.iter().filter(|period| period.until.is_none());
            keys.extend(used.map(|period| {
                KeyInUse {
                    key: name.name(),
                    since: period.since.clone(),
                    former: periods
                        .iter()
                        .filter(|period| period.until.is_some())
                        .count(),
                }
            }));
        }
        Ok(keys)
    }

    /// One that was interrupted goes on with the key that it had made.
    fn rotate(&self, asked: &RotateOptions) -> Result<Plan> {
        self.require_installed()?;
        let keys = match asked.key {
            RotatedKey::Fulcio => vec![CountedKey::Fulcio],
            RotatedKey::Timestamp => vec![CountedKey::Timestamp],
            RotatedKey::Ctlog => vec![CountedKey::Ctlog],
            RotatedKey::Rekor => {
                let versions = self.versions().into_iter();
                versions.map(CountedKey::of_rekor).collect()
            }
            RotatedKey::Registry => vec![CountedKey::Registry],
            RotatedKey::Users => vec![CountedKey::Users],
            RotatedKey::Tuf => vec![CountedKey::Tuf],
        };
        let mut local = self.clone();
        for key in keys {
            local.settings.turn(key);
        }
        let mut facts = self.facts()?;
        if let Some(dir) = &asked.offline_root {
            if asked.key != RotatedKey::Fulcio {
                return Err(broken("an offline root is for Fulcio's CA")
                    .hint("cargo xtask rotate fulcio --offline-root DIR")
                    .into());
            }
            facts.offline_root = Some(local.offline_root(dir)?);
        }
        plans::rotate(&local, &facts)
    }

    fn lost(&self, signature: &Signature) -> Result<Option<Fail>> {
        let Some(number) = signature.shard else {
            return Ok(None);
        };
        // The tiles of v2 are served for good.
        let newest = self.settings.newest(CountedKey::RekorV1);
        if signature.rekor == Version::V2 || number == newest {
            return Ok(None);
        }
        let what = format!("the entry was in shard {number} of Rekor v1, which has ended");
        let bundle = quote(&signature.bundle.to_string_lossy());
        Ok(Some(not_so(what).hint(format!(
            "the bundle still proves it: cargo xtask inspect-rekor --bundle {bundle}"
        ))))
    }
}
