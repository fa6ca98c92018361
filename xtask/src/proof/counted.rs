//! What of a trusted root counted for a signature: which authority and which key of a log,
//! and the period that the trusted root gives them.

use serde::Serialize;

use super::{Link, Proof};
use crate::trust::root::TimeRange;

/// An authority or a log of the trusted root on which a link rests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// The link.
    #[serde(rename = "check")]
    pub link: Link,
    /// The authority or the log, for a person.
    pub name: String,
    /// From when on it counts, RFC 3339.
    pub since: Option<String>,
    /// Until when, where it has ended.
    pub until: Option<String>,
}

impl Proof {
    /// Notes on what a link rests that holds.
    pub(crate) fn count(&mut self, link: Link, name: impl Into<String>, period: &TimeRange) {
        let counted = Counted {
            link,
            name: name.into(),
            since: period.since(),
            until: period.until(),
        };
        self.add_counted(counted);
    }

    /// Adds one in its place, once.
    pub(super) fn add_counted(&mut self, counted: Counted) {
        if !self.counted.contains(&counted) {
            let at = self
                .counted
                .partition_point(|other| other.link <= counted.link);
            self.counted.insert(at, counted);
        }
    }
}

impl Counted {
    /// The period in words.
    pub(crate) fn period(&self) -> String {
        let since = self.since.as_deref().unwrap_or("never");
        match &self.until {
            Some(until) => format!("since {since}, until {until}"),
            None => format!("since {since}"),
        }
    }
}
