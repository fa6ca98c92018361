//! The format in which installations were kept before: the CT log and Rekor v1 lived in
//! Trillian's memory, so that each start of Trillian began a shard of them, with a key of
//! its own. The keys stay in the trusted root, or what they signed would stop verifying.

use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;
use serde::Deserialize;

use super::settings::{CountedKey, Period, Settings};
use crate::state;

/// The file with the history of the shards, and the one that was held to write it.
const FILES: [&str; 2] = ["shards.json", "shards.lock"];

/// The key of the TUF roles before it was counted.
const TUF: [&str; 2] = ["keys/tuf.key", "keys/tuf.pub"];

/// The key and the certificate of the registry before they were counted. Under the second
/// name is what its clients trust.
const REGISTRY: [&str; 2] = ["keys/registry.key", "keys/registry.pem"];

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
    let all = CountedKey::value_variants().iter().copied();
    let uncounted: Vec<_> = all.filter(|key| settings.newest(*key) == 0).collect();
    if uncounted.is_empty() {
        return Ok(settings);
    }
    let shards: Option<Vec<Shard>> = state::read_json(&dir.join(FILES[0]))?;
    let shards = shards.unwrap_or_default();
    for key in uncounted {
        let name = key.name();
        let periods: Vec<Period> = match key {
            CountedKey::Ctlog | CountedKey::RekorV1 => {
                let of_log = shards.iter().filter(|shard| shard.log == name);
                of_log.map(|shard| shard.period.clone()).collect()
            }
            // It has a new key, beside one that was not counted.
            CountedKey::Tuf => Vec::new(),
            _ => {
                let since = settings.created.clone();
                settings
                    .keys
                    .insert(key, vec![Period { since, until: None }]);
                continue;
            }
        };
        let next = periods.len() + 1;
        settings.keys.insert(key, periods);
        settings.renew(key, next);
        // Their servers are gone already.
        settings.retire();
    }
    Ok(settings)
}

/// Copies keys to where they are now, before any is found to be missing.
pub(crate) fn carry_keys(dir: &Path) -> Result<()> {
    let [key, certificate] = REGISTRY.map(|name| dir.join(name));
    let number = dir.join("keys/registry-1");
    let (Some(key), Some(certificate)) = (state::read(&key)?, state::read(&certificate)?) else {
        return Ok(());
    };
    if !number.with_extension("pem").exists() {
        state::write(&number.with_extension("key"), &key, 0o600)?;
        state::write(&number.with_extension("pem"), &certificate, 0o644)?;
    }
    Ok(())
}

/// Removes what is carried over.
pub(crate) fn forget(dir: &Path) -> Result<()> {
    let files = FILES.iter().chain(&TUF).chain(&REGISTRY[..1]);
    files
        .map(|name| dir.join(name))
        .try_for_each(|file| state::forget(&file))
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
        old.keys.clear();
        let new = carried_over(old, dir.path()).unwrap();
        let open = |periods: &[Period]| periods.iter().filter(|one| one.until.is_none()).count();
        let ctlog = new.periods(CountedKey::Ctlog);
        assert_eq!((ctlog.len(), open(ctlog)), (3, 1));
        assert_eq!(ctlog[0].until.as_deref(), Some("2026-01-02T00:00:00Z"));
        let rekor = new.periods(CountedKey::RekorV1);
        assert_eq!((rekor.len(), open(rekor)), (2, 1));
        let registry = new.periods(CountedKey::Registry);
        assert_eq!((registry.len(), &registry[0].since), (1, &new.created));

        forget(dir.path()).unwrap();
        forget(dir.path()).unwrap();
        assert_eq!(carried_over(new.clone(), dir.path()).unwrap(), new);
    }

    /// Clients hold the certificate under its old name, so it stays there.
    #[test]
    fn the_key_of_the_registry_gets_a_number() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path();
        std::fs::create_dir(dir.join("keys")).unwrap();
        for file in REGISTRY.iter().chain(&TUF) {
            std::fs::write(dir.join(file), file).unwrap();
        }
        for _ in 0..2 {
            carry_keys(dir).unwrap();
        }
        forget(dir).unwrap();
        carry_keys(dir).unwrap();
        let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
        assert_eq!(read("keys/registry-1.key"), REGISTRY[0]);
        assert_eq!(read("keys/registry-1.pem"), REGISTRY[1]);
        assert_eq!(read(REGISTRY[1]), REGISTRY[1]);
        for gone in [REGISTRY[0], TUF[0], TUF[1]] {
            assert!(!dir.join(gone).exists(), "{gone}");
        }
    }

    /// Before there were shards of a log, there is nothing to carry over.
    #[test]
    fn a_log_that_never_ran_begins_with_its_first_key() {
        let dir = tempfile::tempdir().unwrap();
        let mut old = Settings::new(1, Versions::V2);
        old.keys.remove(&CountedKey::RekorV1);
        let new = carried_over(old, dir.path()).unwrap();
        assert_eq!(new.newest(CountedKey::RekorV1), 1);
    }
}
