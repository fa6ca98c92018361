//! Tests that a machine cannot run.

use std::io::Write;

/// Whether whoever started the tests wants all of them, whatever that takes: then what
/// takes minutes to build is built, and a test that is skipped has failed.
pub fn all_must_run() -> bool {
    std::env::var_os("WORKSHOP_TEST_ALL").is_some()
}

/// Says that this test did not run here, past the capture of the test runner.
pub fn not_here(why: &str) {
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
}

/// The same for a lack that must not be where all tests run.
#[track_caller]
pub fn skipped(lacks: &str) {
    not_here(&format!("this machine lacks {lacks}"));
    assert!(!all_must_run(), "this test must not be skipped here");
}
