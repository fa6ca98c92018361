//! How a component of an installation is.

use std::fmt;

use serde::Serialize;

/// One component.
#[derive(Debug, Serialize)]
pub(crate) struct Component {
    /// Its name.
    pub name: String,
    /// Whether it runs and answers.
    pub state: ComponentState,
    /// Where it listens; in a cluster, its namespace.
    pub address: String,
    /// Its process.
    pub pid: Option<u32>,
    /// The version of its Go module.
    pub version: Option<String>,
    /// Since when it runs, RFC 3339; in a cluster, since when its pod is there.
    pub since: Option<String>,
    /// How often the containers of its pod started again, in a cluster.
    pub restarts: Option<u64>,
    /// Its memory in KiB.
    pub memory_kib: Option<u64>,
    /// How many entries its log holds.
    pub log_size: Option<u64>,
    /// When its certificate ends, RFC 3339.
    pub certificate_ends: Option<String>,
    /// What to know about it.
    pub warning: Option<String>,
}

/// Whether a component runs and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ComponentState {
    /// It runs and answers.
    Up,
    /// It runs but does not answer.
    Silent,
    /// It was started and no longer runs.
    Ended,
    /// It was not started; in a cluster: it is not there.
    Stopped,
}

impl ComponentState {
    /// The state of a component of which this is known: whether it was started, whether
    /// it runs, and whether it answers.
    pub(crate) fn of(started: bool, runs: bool, answers: bool) -> ComponentState {
        match (started, runs, answers) {
            (_, true, true) => ComponentState::Up,
            (_, true, false) => ComponentState::Silent,
            (true, false, _) => ComponentState::Ended,
            (false, false, _) => ComponentState::Stopped,
        }
    }
}

impl fmt::Display for ComponentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ComponentState::Up => "up",
            ComponentState::Silent => "silent",
            ComponentState::Ended => "ended",
            ComponentState::Stopped => "stopped",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ComponentState::{self, Ended, Silent, Stopped, Up};

    #[test]
    fn a_state_is_the_same_word_in_json_and_in_text() {
        for state in [Up, Silent, Ended, Stopped] {
            assert_eq!(serde_json::json!(state), state.to_string());
        }
    }

    #[test]
    fn what_runs_is_silent_until_it_answers() {
        assert_eq!(ComponentState::of(true, true, true), Up);
        assert_eq!(ComponentState::of(true, true, false), Silent);
        assert_eq!(ComponentState::of(true, false, false), Ended);
        assert_eq!(ComponentState::of(false, false, false), Stopped);
    }
}
