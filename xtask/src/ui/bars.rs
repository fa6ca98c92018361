//! The bars and spinners of steps that run, where standard error is a terminal.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::plan::StepRef;
use crate::text::printable;

/// The bars of the steps that run.
pub(super) struct Bars {
    draws: bool,
    all: MultiProgress,
    live: Mutex<HashMap<String, Live>>,
}

struct Live {
    bar: ProgressBar,
    /// What it was last said to wait for.
    waiting: String,
    /// The last tenth that was told.
    tenth: u64,
}

impl Bars {
    /// Where they are not drawn, they only remember what was told.
    pub(super) fn new(draws: bool) -> Bars {
        let target = if draws {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Bars {
            draws,
            all: MultiProgress::with_draw_target(target),
            live: Mutex::default(),
        }
    }

    /// Whether they are drawn.
    pub(super) fn draws(&self) -> bool {
        self.draws
    }

    /// Prints something while no bar is in the way.
    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.all.suspend(print)
    }

    /// A step begins.
    pub(super) fn start(&self, step: StepRef<'_>) {
        let bar = ProgressBar::new_spinner().with_style(spinner());
        let bar = self.all.add(bar);
        if self.draws {
            bar.set_message(printable(step.title));
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        let live = Live {
            bar,
            waiting: String::new(),
            tenth: 0,
        };
        self.live().insert(step.name.to_owned(), live);
    }

    /// A step waits for this; `true` where that is new.
    pub(super) fn waits(&self, step: StepRef<'_>, text: &str) -> bool {
        let mut live = self.live();
        let Some(entry) = live.get_mut(step.name) else {
            return false;
        };
        if entry.waiting == text {
            return false;
        }
        entry.waiting = text.to_owned();
        if self.draws {
            let message = printable(&format!("{} ({text})", step.title));
            entry.bar.set_message(message);
        }
        true
    }

    /// A step is so far; `true` where that is another tenth.
    pub(super) fn advance(&self, step: StepRef<'_>, done: u64, total: u64) -> bool {
        let mut live = self.live();
        let Some(entry) = live.get_mut(step.name) else {
            return false;
        };
        if entry.bar.length() != Some(total) {
            entry.bar.set_style(bar());
            entry.bar.set_length(total);
        }
        entry.bar.set_position(done.min(total));
        let tenth = done.min(total) * 10 / total.max(1);
        let is_next = tenth > entry.tenth;
        entry.tenth = entry.tenth.max(tenth);
        is_next
    }

    /// A step has ended.
    pub(super) fn close(&self, step: StepRef<'_>) {
        if let Some(live) = self.live().remove(step.name) {
            live.bar.finish_and_clear();
            self.all.remove(&live.bar);
        }
    }

    fn live(&self) -> MutexGuard<'_, HashMap<String, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn bar() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {elapsed:>4} {pos}/{len} {bar:20} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
