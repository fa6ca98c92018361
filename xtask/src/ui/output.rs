//! Standard output, in the one place that writes it: what could not be written is lost,
//! and that must not look like success.

use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::fail::{Fail, broken};

/// Standard output, and the first error that it had.
#[derive(Debug, Default)]
pub(super) struct Output {
    error: Mutex<Option<io::Error>>,
}

impl Output {
    /// Prints a line. `false` where nobody reads it any more, or it could not be written.
    pub(super) fn print(&self, line: &str) -> bool {
        let mut out = io::stdout().lock();
        let written = writeln!(out, "{line}").and_then(|()| out.flush());
        let is_written = written.is_ok();
        if let Err(error) = written {
            let mut first = self.error.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(error);
        }
        is_written
    }

    /// Why lines are lost, unless their reader had read enough (`| head`).
    pub(super) fn lost(&self) -> Option<Fail> {
        let error = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        unless_closed(error.as_ref()?)
    }
}

/// Waits for so long, and says whether somebody still reads standard output: a pipe tells
/// at once when its reader is gone, before anything is written.
pub(crate) fn is_read(within: Duration) -> bool {
    let out = io::stdout();
    let mut watched = [PollFd::new(&out, PollFlags::empty())];
    let within = Timespec::try_from(within).unwrap_or_default();
    match poll(&mut watched, Some(&within)) {
        Ok(0) | Err(_) => true,
        // An end that is not a pipe's, such as a terminal's, shows when it is written to.
        Ok(_) => !watched[0].revents().contains(PollFlags::ERR),
    }
}

/// The failure that an error of standard output is, unless its reader closed it.
pub(crate) fn unless_closed(error: &io::Error) -> Option<Fail> {
    (error.kind() != ErrorKind::BrokenPipe).then(|| {
        broken(format!("the output cannot be written: {error}"))
            .hint("make room there, or lead it elsewhere: only what is printed is lost, no work")
    })
}
