//! What a command came to.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The program under test.
pub fn xtask() -> &'static str {
    env!("CARGO_BIN_EXE_xtask")
}

/// How a command ended, and what it printed.
#[derive(Debug)]
pub struct Run {
    /// The exit status; -1 where a signal ended it.
    pub exit: i32,
    /// Standard output and standard error; in a world of fakes without what differs
    /// between machines.
    pub out: String,
    pub err: String,
    /// Standard output as it was.
    pub raw: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Run {
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        Run {
            exit: output.status.code().unwrap_or(-1),
            raw: out.clone(),
            out,
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Run {
    /// All that a user sees of it.
    pub fn seen(&self) -> String {
        format!("{}{}exit {}\n", self.out, self.err, self.exit)
    }

    /// It succeeded, or the test fails with all that was said.
    #[track_caller]
    pub fn ok(self) -> Run {
        assert_eq!(self.exit, 0, "{}", self.seen());
        self
    }

    /// It ended with this status and said this in its error.
    #[track_caller]
    pub fn fails(self, exit: i32, said: &str) -> Run {
        assert_eq!(self.exit, exit, "{}", self.seen());
        assert!(
            self.err.contains(said),
            "{said:?} is not in:\n{}",
            self.seen()
        );
        self
    }

    /// It ended with this status and said each of these, wherever.
    #[track_caller]
    pub fn ends(self, exit: i32, said: &[&str]) -> Run {
        let seen = self.seen();
        assert_eq!(self.exit, exit, "{seen}");
        for said in said {
            assert!(seen.contains(said), "{said:?} is not in:\n{seen}");
        }
        self
    }

    /// The last line of its output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        let last = self.out.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {}", self.seen()))
    }

    /// Every line of its output as JSON.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let event = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
        };
        self.out.lines().map(event).collect()
    }
}

/// A program and its words.
pub fn command(program: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(words);
    command
}

/// Runs a command to its end; it is asked nothing.
pub fn end(mut command: Command) -> Run {
    let output = command.stdin(Stdio::null()).output();
    output
        .unwrap_or_else(|error| panic!("{command:?}: {error}"))
        .into()
}

/// The first of these programs that is on the PATH.
pub fn program(names: &[&str]) -> Option<PathBuf> {
    names.iter().find_map(|name| which::which(name).ok())
}
