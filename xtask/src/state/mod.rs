//! The state directory: everything the workshop remembers, readable by its
//! owner only, and never half-written.
//!
//! ```text
//! .workshop/          mode 0700
//!   version           the format of what follows, a number
//!   lock              held while a command changes anything
//!   target            the target chosen for the commands to come
//!   progress.json     what was done of the chapters
//!   local/            one folder a target
//! ```

mod dir;
mod files;
mod lock;

pub use dir::State;
pub(crate) use files::{forget, make_dir, read, read_json, write, write_json};
pub(crate) use lock::{Lock, exclusive, exclusive_or};
