//! What a program prints, line by line, and the last lines of it.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Mutex, PoisonError};

/// How many of a tool's last lines an error shows.
const TAIL: usize = 12;

/// A line of a tool's output is cut here, so that a tool that prints no line
/// end cannot fill the memory.
const LINE: u64 = 16 * 1024;

/// The last lines that a program printed.
#[derive(Default)]
pub(super) struct Tail(Mutex<VecDeque<String>>);

impl Tail {
    /// Adds a line, and forgets the oldest where there are enough.
    pub(super) fn keep(&self, line: String) {
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(line);
    }

    /// The lines, oldest first.
    pub(super) fn lines(self) -> Vec<String> {
        let tail = self.0.into_inner().unwrap_or_default();
        tail.into_iter().collect()
    }
}

/// Reads to the end, or until it cannot be read.
pub(super) fn each_line(source: Option<impl Read>, mut each: impl FnMut(String)) {
    let Some(source) = source else { return };
    let mut reader = BufReader::new(source);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.by_ref().take(LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => each(String::from_utf8_lossy(&line).trim_end().to_owned()),
        }
    }
}
