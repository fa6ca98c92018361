//! Why something is not proved: it is wrong, or it is not read.

/// Why something is not proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unproved {
    /// Something is wrong.
    Wrong(String),
    /// It is of a kind that this program does not read: nothing is known to be wrong.
    NotRead(String),
}

impl Unproved {
    /// Says what it is about.
    pub(crate) fn of(self, what: &str) -> Unproved {
        match self {
            Unproved::Wrong(why) => Unproved::Wrong(format!("{what}: {why}")),
            Unproved::NotRead(why) => Unproved::NotRead(format!("{what}: {why}")),
        }
    }
}

impl From<String> for Unproved {
    fn from(why: String) -> Unproved {
        Unproved::Wrong(why)
    }
}

impl From<&str> for Unproved {
    fn from(why: &str) -> Unproved {
        Unproved::Wrong(why.to_owned())
    }
}
