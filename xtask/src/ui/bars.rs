//! A bar for each step that runs, where standard error is a terminal.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::plan::StepRef;
use crate::text::printable;

/// The bars of the steps that run, and how far each step was said to be.
pub(super) struct Bars {
    /// Whether they are drawn.
    pub(super) drawn: bool,
    bars: MultiProgress,
    live: Mutex<HashMap<String, Live>>,
}

struct Live {
    bar: ProgressBar,
    /// What it was last said to wait for.
    waiting: String,
    /// The last tenth that was said where there is no terminal.
    tenth: u64,
}

impl Bars {
    /// Draws at a terminal only, and where it is `wanted`.
    pub(super) fn new(wanted: bool) -> Bars {
        let drawn = wanted && std::io::stderr().is_terminal();
        let target = if drawn {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Bars {
            drawn,
            bars: MultiProgress::with_draw_target(target),
            live: Mutex::default(),
        }
    }

    /// Prints something while no bar is in its way.
    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bars.suspend(print)
    }

    /// Adds the bar of a step.
    pub(super) fn open(&self, step: StepRef<'_>) {
        let bar = self
            .bars
            .add(ProgressBar::new_spinner().with_style(spinner()));
        if self.drawn {
            bar.set_prefix(format!("{}/{}", step.number, step.of));
            bar.set_message(step.title.to_owned());
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        let live = Live {
            bar,
            waiting: String::new(),
            tenth: 0,
        };
        self.live().insert(step.name.to_owned(), live);
    }

    /// Shows what a step waits for; `false` where that was shown already.
    pub(super) fn wait(&self, step: StepRef<'_>, text: &str) -> bool {
        let mut live = self.live();
        let Some(entry) = live.get_mut(step.name) else {
            return false;
        };
        if entry.waiting == text {
            return false;
        }
        entry.waiting = text.to_owned();
        if self.drawn {
            let message = format!("{} ({})", step.title, printable(text));
            entry.bar.set_message(message);
        }
        true
    }

    /// Shows how far a step is; `true` where that is one more tenth.
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
        let more = tenth > entry.tenth;
        entry.tenth = entry.tenth.max(tenth);
        more
    }

    /// Takes the bar of a step away.
    pub(super) fn close(&self, step: StepRef<'_>) {
        if let Some(live) = self.live().remove(step.name) {
            live.bar.finish_and_clear();
            self.bars.remove(&live.bar);
        }
    }

    fn live(&self) -> MutexGuard<'_, HashMap<String, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {prefix} {elapsed:>4} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn bar() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {prefix} {elapsed:>4} {pos}/{len} {bar:20} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
