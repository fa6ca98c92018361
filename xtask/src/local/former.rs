//! The format in which installations were kept before: the CT log and Rekor v1 lived in
//! Trillian's memory, so that each start of Trillian began a shard of them, with a key of
//! its own. The keys stay in the trusted root, or what they signed would stop verifying.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::settings::{Period, Settings};
use crate::state;

/// The file with the history of the shards, and the one that was held to write it.
const FILES: [&str; 2] = ["shards.json", "shards.lock"];

/// A shard of a log: its key is `keys/LOG-NUMBER.key`, and the numbers of a log count
/// from 1.
#[derive(Deserialize)]
struct Shard {
    log: String,
    #[serde(flatten)]
    period: Period,
}

/// The settings with what stood in a file of its own: the logs that are on disk now
/// begin with a key of their own, after those of the shards.
pub(crate) fn carried_over(mut settings: Settings, dir: &Path) -> Result<Settings> {
    if !settings.ctlog.is_empty() && !settings.rekor_v1.is_empty() {
        return Ok(settings);
    }
    let shards: Option<Vec<Shard>> = state::read_json(&dir.join(FILES[0]))?;
    let shards = shards.unwrap_or_default();
    for (name, periods) in [
        ("ctlog", &mut settings.ctlog),
        ("rekor-v1", &mut settings.rekor_v1),
    ] {
        if periods.is_empty() {
            let of_log = shards.iter().filter(|shard| shard.log == name);
            periods.extend(of_log.map(|shard| shard.period.clone()));
            let next = periods.len() + 1;
            Settings::renew(periods, next);
        }
    }
    // Their servers are gone already.
    settings.retire();
    Ok(settings)
}

/// Removes what is carried over.
pub(crate) fn forget(dir: &Path) -> Result<()> {
    for file in FILES.map(|name| dir.join(name)) {
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("remove {}", file.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Versions;

    #[test]
    fn keys_of_shards_come_before_the_first_of_a_log_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        let shards = r#"[
            {"log": "ctlog", "number": 1, "tree": "7", "trillian": "1@a:1", "since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"},
            {"log": "rekor-v1", "number": 1, "tree": "8", "trillian": "1@a:1", "since": "2026-01-01T00:00:00Z", "until": null},
            {"log": "ctlog", "number": 2, "tree": "9", "trillian": "2@a:1", "since": "2026-01-02T00:00:00Z", "until": null}
        ]"#;
        std::fs::write(dir.path().join(FILES[0]), shards).unwrap();
        let mut old = Settings::new(1, Versions::Both);
        old.ctlog.clear();
        old.rekor_v1.clear();
        let new = carried_over(old, dir.path()).unwrap();
        let open = |periods: &[Period]| periods.iter().filter(|one| one.until.is_none()).count();
        assert_eq!((new.ctlog.len(), open(&new.ctlog)), (3, 1));
        assert_eq!(new.ctlog[0].until.as_deref(), Some("2026-01-02T00:00:00Z"));
        assert_eq!((new.rekor_v1.len(), open(&new.rekor_v1)), (2, 1));

        forget(dir.path()).unwrap();
        forget(dir.path()).unwrap();
        assert_eq!(carried_over(new.clone(), dir.path()).unwrap(), new);
    }

    /// Before there were shards of a log, there is nothing to carry over.
    #[test]
    fn a_log_that_never_ran_begins_with_its_first_key() {
        let dir = tempfile::tempdir().unwrap();
        let mut old = Settings::new(1, Versions::V2);
        old.rekor_v1.clear();
        assert_eq!(carried_over(old, dir.path()).unwrap().rekor_v1.len(), 1);
    }
}
