//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

/// How often a condition is looked at.
pub const POLL: Duration = Duration::from_millis(5);

/// Waits until a condition holds; the deadline only ends a test that fails.
#[track_caller]
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::sleep(POLL);
    }
}

/// Whether a process has ended. The program itself knows how each system says that, also
/// of one for which nobody has waited yet.
pub fn gone(pid: u32) -> bool {
    xtask::local::platform::started(pid).is_none()
}
