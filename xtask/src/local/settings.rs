//! What was chosen at `install`, and the history of the keys that the trusted
//! root must remember.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::entry::Versions;
use crate::state;
use crate::time;

/// The lowest of the default ports.
pub(crate) const PORT_BASE: u16 = 17800;

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

/// `settings.json` of the local target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The lowest port.
    pub port_base: u16,
    /// Which versions of Rekor run.
    pub rekor: Versions,
    /// When it was installed; Rekor v2's key is as old.
    pub created: String,
    /// Fulcio's CA keys, `keys/fulcio-1.key` first, the one in use last.
    pub fulcio: Vec<Period>,
    /// The timestamp authority's keys, in the same order.
    pub timestamp: Vec<Period>,
    /// The CT log's keys, likewise; each has a log of its own.
    #[serde(default)]
    pub ctlog: Vec<Period>,
    /// Rekor v1's keys, likewise.
    #[serde(default)]
    pub rekor_v1: Vec<Period>,
    /// The keys of the TUF roles but the root, likewise.
    #[serde(default = "first_period")]
    pub tuf: Vec<Period>,
}

/// That of the first key, where settings were written before it was counted.
fn first_period() -> Vec<Period> {
    vec![Period::from_now()]
}

impl Settings {
    /// The settings of a new installation.
    pub fn new(port_base: u16, rekor: Versions) -> Settings {
        let now = Period::from_now();
        Settings {
            port_base,
            rekor,
            created: now.since.clone(),
            fulcio: vec![now.clone()],
            timestamp: vec![now.clone()],
            ctlog: vec![now.clone()],
            rekor_v1: vec![now.clone()],
            tuf: vec![now],
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

    /// The keys that are counted, each by the placeholder for the number of the newest.
    pub(crate) fn counted(&self) -> [(&'static str, &[Period]); 5] {
        [
            ("ca", &self.fulcio),
            ("tsa", &self.timestamp),
            ("ct", &self.ctlog),
            ("rekor", &self.rekor_v1),
            ("tuf-key", &self.tuf),
        ]
    }

    /// The keys that are counted, to be changed.
    fn counted_mut(&mut self) -> [&mut Vec<Period>; 5] {
        [
            &mut self.fulcio,
            &mut self.timestamp,
            &mut self.ctlog,
            &mut self.rekor_v1,
            &mut self.tuf,
        ]
    }

    /// Begins a new period, so that there are `number` of them. The one before goes on
    /// until it is [retired](Settings::retire): its server signs until it is replaced.
    pub fn renew(periods: &mut Vec<Period>, number: usize) {
        while periods.len() < number {
            periods.push(Period::from_now());
        }
    }

    /// Whether a key turns: its successor is there, and it has not ended yet.
    pub(crate) fn turns(&self) -> bool {
        let counted = self.counted();
        counted
            .iter()
            .any(|(_, periods)| Settings::is_turning(periods))
    }

    /// The same of one key.
    pub(crate) fn is_turning(periods: &[Period]) -> bool {
        let former = periods.split_last().map_or(&[][..], |(_, former)| former);
        former.iter().any(|period| period.until.is_none())
    }

    /// Ends the period of every key that has a successor.
    pub fn retire(&mut self) {
        for periods in self.counted_mut() {
            let former = periods.split_last_mut().map(|(_, former)| former);
            for period in former.into_iter().flatten() {
                period.until.get_or_insert_with(time::soon);
            }
        }
    }
}
