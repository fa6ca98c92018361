//! What was chosen at `install`, and the history of the keys that the trusted
//! root must remember.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::entry::{Version, Versions};
use crate::state;
use crate::time;

/// When a key was in use. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// From this second on.
    pub since: String,
    /// Until this second, where it was replaced.
    pub until: Option<String>,
}

impl Period {
    /// From now on.
    pub fn from_now() -> Period {
        Period {
            since: time::now(),
            until: None,
        }
    }
}

/// A key that is counted: its successors have the numbers from 2 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum CountedKey {
    /// Fulcio's CA.
    Fulcio,
    /// The timestamp authority's.
    Timestamp,
    /// The CT log's; each has a log of its own.
    Ctlog,
    /// Rekor v1's, likewise.
    #[serde(alias = "rekor_v1")]
    RekorV1,
    /// Rekor v2's, likewise.
    RekorV2,
    /// The registry's, with its certificate.
    Registry,
    /// What the users of Dex say who they are with.
    Users,
    /// That of the TUF roles but the root.
    Tuf,
}

impl CountedKey {
    /// That of a version of Rekor.
    pub(crate) fn of_rekor(version: Version) -> CountedKey {
        match version {
            Version::V1 => CountedKey::RekorV1,
            Version::V2 => CountedKey::RekorV2,
        }
    }

    /// Its name in command lines and placeholders.
    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// `settings.json` of the local target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The lowest port.
    pub port_base: u16,
    /// Which versions of Rekor run.
    pub rekor: Versions,
    /// When it was installed.
    pub created: String,
    /// When each key was in use, the first one first.
    #[serde(flatten)]
    pub keys: BTreeMap<CountedKey, Vec<Period>>,
}

impl Settings {
    /// The settings of a new installation.
    pub fn new(port_base: u16, rekor: Versions) -> Settings {
        let now = Period::from_now();
        let all = CountedKey::value_variants().iter();
        Settings {
            port_base,
            rekor,
            created: now.since.clone(),
            keys: all.map(|key| (*key, vec![now.clone()])).collect(),
        }
    }

    /// Reads them; `None` where nothing is installed.
    pub fn read(dir: &Path) -> Result<Option<Settings>> {
        state::read_json(&dir.join("settings.json"))
    }

    /// Writes them.
    pub fn write(&self, dir: &Path) -> Result<()> {
        state::write_json(&dir.join("settings.json"), self)
    }

    /// The periods of a key.
    pub fn periods(&self, key: CountedKey) -> &[Period] {
        self.keys.get(&key).map_or(&[], Vec::as_slice)
    }

    /// The number of the newest key.
    pub fn newest(&self, key: CountedKey) -> usize {
        self.periods(key).len()
    }

    /// The settings as they were when a key had this number.
    pub(crate) fn as_of(&self, key: CountedKey, number: usize) -> Settings {
        let mut then = self.clone();
        then.keys.entry(key).or_default().truncate(number);
        then
    }

    /// Begins a new period of a key, so that there are `number` of them. The one before
    /// goes on until it is [retired](Settings::retire): its server signs until it is
    /// replaced.
    pub fn renew(&mut self, key: CountedKey, number: usize) {
        let periods = self.keys.entry(key).or_default();
        while periods.len() < number {
            periods.push(Period::from_now());
        }
    }

    /// Begins a new period of a key, where none is begun whose predecessor goes on.
    pub(crate) fn turn(&mut self, key: CountedKey) {
        if !is_turning(self.periods(key)) {
            self.renew(key, self.newest(key) + 1);
        }
    }

    /// Whether a key turns: its successor is there, and it has not ended yet.
    pub(crate) fn turns(&self) -> bool {
        self.keys.values().any(|periods| is_turning(periods))
    }

    /// Ends the period of every key that has a successor.
    pub fn retire(&mut self) {
        for periods in self.keys.values_mut() {
            let former = periods.split_last_mut().map(|(_, former)| former);
            for period in former.into_iter().flatten() {
                period.until.get_or_insert_with(time::soon);
            }
        }
    }
}

/// Whether a key has a successor and has not ended.
fn is_turning(periods: &[Period]) -> bool {
    let former = periods.split_last().map_or(&[][..], |(_, former)| former);
    former.iter().any(|period| period.until.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_name_in_the_file_and_on_the_command_line() {
        let settings = Settings::new(1, Versions::V2);
        let text = serde_json::to_value(&settings).unwrap();
        for key in CountedKey::value_variants() {
            assert!(text[key.name()].is_array(), "{key:?}");
        }
        let read: Settings = serde_json::from_value(text).unwrap();
        assert_eq!(read, settings);
    }

    /// A turn that was interrupted goes on with the key that it began.
    #[test]
    fn a_key_turns_once_at_a_time() {
        let mut settings = Settings::new(1, Versions::V2);
        for _ in 0..2 {
            settings.turn(CountedKey::Fulcio);
            assert!(settings.turns());
            assert_eq!(settings.newest(CountedKey::Fulcio), 2);
        }
        settings.retire();
        assert!(!settings.turns());
        settings.turn(CountedKey::Fulcio);
        assert_eq!(settings.newest(CountedKey::Fulcio), 3);
    }
}
