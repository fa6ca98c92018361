//! Ctrl-C: while a plan runs, its children are told to stop, nothing new starts,
//! and the exit status is 128 and the signal (130 for Ctrl-C). At any other time the signal ends the process.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::fail::{Fail, broken};

/// The signal that asked this process to stop; zero while none did.
static SIGNAL: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// Whether a signal ends this process at once. It does by default; not while a [`Watch`]
/// is kept, until the children have ended.
static PLAIN: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

/// The process groups of the children that run now. Each child leads a group of
/// its own, so that what it started (a compiler) is told to stop with it.
static GROUPS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Prepares for SIGINT, SIGTERM and SIGHUP.
pub(crate) fn prepare() -> Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&PLAIN))
            .and_then(|_| {
                signal_hook::flag::register_usize(
                    signal,
                    Arc::clone(&SIGNAL),
                    signal.unsigned_abs() as usize,
                )
            })
            .context("listen for signals")?;
    }
    Ok(())
}

/// While it is kept, signals are noted instead of ending this process.
pub(crate) struct Watch(());

/// Notes signals from here on.
pub(crate) fn watch() -> Watch {
    PLAIN.store(false, Ordering::Relaxed);
    Watch(())
}

impl Drop for Watch {
    fn drop(&mut self) {
        PLAIN.store(true, Ordering::Relaxed);
    }
}

/// Whether a signal asked this process to stop.
pub(crate) fn interrupted() -> bool {
    SIGNAL.load(Ordering::Relaxed) != 0
}

/// The exit status of a process that a signal stopped: 128 and its number.
pub(crate) fn exit_status() -> Option<u8> {
    let signal = SIGNAL.load(Ordering::Relaxed);
    (signal != 0).then(|| u8::try_from(128 + signal).unwrap_or(u8::MAX))
}

/// Remembers a child while it runs.
pub(crate) struct Running(Pid);

impl Running {
    /// The child leads a process group of its own.
    pub(crate) fn new(child: &std::process::Child) -> Running {
        let pid = Pid::from_child(child);
        groups().push(pid);
        Running(pid)
    }
}

impl Running {
    /// Ends the child now, with all that it started.
    pub(crate) fn end(&self) {
        let _ = kill_process_group(self.0, Signal::KILL);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        groups().retain(|pid| *pid != self.0);
    }
}

/// Asks every child to stop.
pub(crate) fn ask_children() {
    for pid in groups().iter() {
        let _ = kill_process_group(*pid, Signal::TERM);
    }
}

/// Asks every child to stop, and kills it after three seconds. The steps' own threads
/// reap the children, so call this from another thread.
pub(crate) fn stop_children() {
    let deadline = Instant::now() + Duration::from_secs(3);
    ask_children();
    while !groups().is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    for pid in groups().iter() {
        let _ = kill_process_group(*pid, Signal::KILL);
    }
    // A second interruption means that the user does not want to wait any longer.
    PLAIN.store(true, Ordering::Relaxed);
}

fn groups() -> std::sync::MutexGuard<'static, Vec<Pid>> {
    GROUPS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Runs work that may block on a server or a reader; an interruption abandons it.
///
/// # Errors
/// The error of the work, or an interruption.
pub(crate) fn interruptible<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, Fail> + Send + 'static,
) -> Result<T, Fail> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || send.send(ask()));
    loop {
        match receive.recv_timeout(Duration::from_millis(20)) {
            Ok(answer) => return answer,
            Err(mpsc::RecvTimeoutError::Timeout) if !interrupted() => {}
            Err(_) => return Err(broken("interrupted while waiting for an answer")),
        }
    }
}
