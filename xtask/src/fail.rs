//! Errors are data: what happened, what to type, and which exit status it is.

use std::fmt;

/// The exit status for "reached, and the answer is no": not signed, not
/// verified, not ready.
pub(crate) const NOT_SO: u8 = 1;
/// The exit status for "broken, unreachable or misused".
pub(crate) const BROKEN: u8 = 2;

/// What went wrong, for a person and for a script.
///
/// `what` is one sentence without a full stop. Each hint is something to do,
/// usually a command to type. `tail` holds the last lines of the tool that
/// failed, oldest first.
#[derive(Debug, Clone)]
pub struct Fail {
    /// One sentence without a full stop.
    pub what: String,
    /// What to do about it.
    pub hints: Vec<String>,
    /// The failed tool's own last lines.
    pub tail: Vec<String>,
    /// [`NOT_SO`] or [`BROKEN`].
    pub exit: u8,
    /// The id of the known problem that it is.
    pub problem: Option<&'static str>,
    /// Whether `what` explains the tail, so that it need not be shown.
    pub known: bool,
}

/// A failure of kind "the answer is no" (exit status 1).
pub(crate) fn not_so(what: impl Into<String>) -> Fail {
    Fail {
        what: what.into(),
        hints: Vec::new(),
        tail: Vec::new(),
        exit: NOT_SO,
        problem: None,
        known: false,
    }
}

/// A failure of kind "broken, unreachable or misused" (exit status 2).
pub(crate) fn broken(what: impl Into<String>) -> Fail {
    Fail {
        exit: BROKEN,
        ..not_so(what)
    }
}

impl Fail {
    /// Adds something to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Fail {
        self.hints.push(hint.into());
        self
    }

    /// Adds the name that was meant, where there is one, and how it is typed.
    pub(crate) fn meant(self, name: Option<String>) -> Fail {
        match name {
            Some(name) => self.hint(format!("did you mean {name}?")),
            None => self,
        }
    }

    /// Whether one of the tool's own last lines holds this.
    pub fn says(&self, text: &str) -> bool {
        self.tail.iter().any(|line| line.contains(text))
    }

    /// Adds the tool's own last lines.
    pub fn tail(mut self, tail: Vec<String>) -> Fail {
        self.tail = tail;
        self
    }

    /// The failure inside any error: itself where it is one, otherwise the
    /// whole chain of causes as one sentence and exit status 2.
    pub fn from_error(error: &anyhow::Error) -> Fail {
        match error.downcast_ref::<Fail>() {
            Some(fail) => fail.clone(),
            None => broken(format!("{error:#}")),
        }
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Fail {}
