//! The chapters of the workshop: what each has a reader do, how that is seen, and what
//! is remembered of it.

mod by_hand;
mod chapter;
mod done_when;
mod look;
mod milestone;
pub(crate) mod progress;
mod state;
pub(crate) mod steps;

pub use chapter::{Chapter, all};
pub(crate) use chapter::{ChapterTask, named};
pub(crate) use done_when::DoneWhen;
pub(crate) use milestone::Milestone;
pub(crate) use state::{ChapterReport, ChapterState, Walkthrough};
