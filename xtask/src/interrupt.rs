//! Ctrl-C: children are told to stop, nothing new starts, and the process ends
//! as one that the signal ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// The process groups of the children that run now. Each child leads a group of
/// its own, so that what it started (a compiler) is told to stop with it.
static GROUPS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Listens for SIGINT, SIGTERM and SIGHUP; a second one ends the process at once.
///
/// # Errors
/// Where the system refuses a signal handler.
pub fn listen() -> Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_shutdown(
            signal,
            128 + signal,
            Arc::clone(&INTERRUPTED),
        )
        .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&INTERRUPTED)))
        .context("listen for signals")?;
    }
    Ok(())
}

/// Whether a signal asked this process to stop.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Remembers a child while it runs.
pub struct Running(Pid);

impl Running {
    /// The child leads a process group of its own.
    pub fn new(child: &std::process::Child) -> Running {
        let pid = Pid::from_child(child);
        groups().push(pid);
        Running(pid)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        groups().retain(|pid| *pid != self.0);
    }
}

/// Asks every child to stop, and makes it after three seconds.
pub fn stop_children() {
    let deadline = Instant::now() + Duration::from_secs(3);
    for pid in groups().iter() {
        let _ = kill_process_group(*pid, Signal::TERM);
    }
    loop {
        // The step's own thread reaps its child and takes it off the list.
        let left: Vec<Pid> = groups()
            .iter()
            .copied()
            .filter(|pid| test_kill_process_group(*pid).is_ok())
            .collect();
        if left.is_empty() {
            return;
        }
        if Instant::now() >= deadline {
            for pid in left {
                let _ = kill_process_group(pid, Signal::KILL);
            }
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn groups() -> std::sync::MutexGuard<'static, Vec<Pid>> {
    GROUPS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
