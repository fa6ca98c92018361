//! How far a long program is, by the lines that it prints.

use std::sync::{Mutex, PoisonError};

use super::{Outputs, Progress, Total};

/// Counts the lines that mean progress.
pub(super) struct Meter {
    counts: fn(&str) -> bool,
    total: u64,
    done: Mutex<u64>,
}

impl Meter {
    pub(super) fn new(progress: &Progress, outputs: &Outputs) -> Meter {
        let total = match &progress.total {
            Total::Known(total) => *total,
            Total::LinesOf(name) => outputs.get(name).map_or(0, |text| {
                text.lines().filter(|line| !line.trim().is_empty()).count() as u64
            }),
        };
        Meter {
            counts: progress.counts,
            total,
            done: Mutex::new(0),
        }
    }

    pub(super) fn line(&self, line: &str, report: impl Fn(u64, u64)) {
        if (self.counts)(line) && self.total > 0 {
            let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
            *done += 1;
            report(*done, self.total);
        }
    }
}
