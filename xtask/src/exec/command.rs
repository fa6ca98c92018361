//! A program to run, as a value: its words may hold the output of an earlier program.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::fail::broken;

/// A program to run.
pub struct Command {
    /// Its name or path, then its arguments.
    pub words: Vec<Word>,
    /// Environment variables set for it.
    pub env: Vec<(String, String)>,
    /// Where it runs; the caller's directory where there is none.
    pub dir: Option<PathBuf>,
    /// The name under which later commands refer to its standard output.
    pub output: Option<String>,
    /// How its output tells how far it is.
    pub progress: Option<Progress>,
    /// Whether it runs to its end although the user interrupts: it cleans up.
    pub finishes: bool,
    /// It is run again, a few times, where one of its last lines holds this: what failed is
    /// the fault of another.
    pub retried_where: Option<&'static str>,
}

/// How far a long command is: one count for each line it prints that matches.
#[derive(Clone)]
pub struct Progress {
    /// Whether this line of its output is one more.
    pub counts: fn(&str) -> bool,
    /// How many there will be.
    pub total: Total,
}

/// Where the end of a progress bar comes from.
#[derive(Clone)]
pub enum Total {
    /// Known while the plan is built.
    Known(u64),
    /// One for each line that is not empty in the output of this name.
    LinesOf(String),
}

/// One word of a command line: text, and outputs of earlier steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word(pub Vec<Piece>);

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it stands.
    Text(String),
    /// The trimmed output of the command that names it so.
    Output(String),
}

impl Word {
    /// The output of an earlier command.
    pub fn output(name: impl Into<String>) -> Word {
        Word(vec![Piece::Output(name.into())])
    }

    /// Its text, where it needs no output of an earlier command any more.
    pub fn text(&self) -> Result<String> {
        Ok(resolve(std::slice::from_ref(self), &Outputs::new())?.concat())
    }

    /// The names of the outputs it is made of.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Output(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }
}

impl From<&str> for Word {
    fn from(text: &str) -> Word {
        Word(vec![Piece::Text(text.to_owned())])
    }
}

impl From<String> for Word {
    fn from(text: String) -> Word {
        Word(vec![Piece::Text(text)])
    }
}

impl From<&String> for Word {
    fn from(text: &String) -> Word {
        Word::from(text.as_str())
    }
}

impl From<&Path> for Word {
    fn from(path: &Path) -> Word {
        Word::from(path.to_string_lossy().into_owned())
    }
}

impl From<PathBuf> for Word {
    fn from(path: PathBuf) -> Word {
        Word::from(path.as_path())
    }
}

/// Words from anything that is one: `words!["cosign", "verify", image]`.
#[macro_export]
macro_rules! words {
    ($($word:expr),* $(,)?) => { vec![$($crate::exec::Word::from($word)),*] };
}

impl Command {
    /// A command without any of the extras.
    pub fn new(words: Vec<Word>) -> Command {
        Command {
            words,
            env: Vec::new(),
            dir: None,
            output: None,
            progress: None,
            finishes: false,
            retried_where: None,
        }
    }

    /// Sets an environment variable for it.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Command {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Runs it in this directory.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Command {
        self.dir = Some(dir.into());
        self
    }

    /// Gives its output a name.
    pub fn output(mut self, name: impl Into<String>) -> Command {
        self.output = Some(name.into());
        self
    }

    /// Lets it run to its end although the user interrupts.
    pub fn finishes(mut self) -> Command {
        self.finishes = true;
        self
    }

    /// Has it run again where one of its last lines holds this.
    pub(crate) fn retried_where(mut self, says: &'static str) -> Command {
        self.retried_where = Some(says);
        self
    }

    /// Says how its output tells how far it is.
    pub fn progress(mut self, counts: fn(&str) -> bool, total: Total) -> Command {
        self.progress = Some(Progress { counts, total });
        self
    }
}

/// What the outputs of commands were, by name.
pub(crate) type Outputs = HashMap<String, String>;

/// The words with the outputs they refer to filled in.
pub(crate) fn resolve(words: &[Word], outputs: &Outputs) -> Result<Vec<String>> {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => Ok(text.clone()),
        Piece::Output(name) => {
            let missing = || broken(format!("the output {name} of an earlier step is missing"));
            Ok(outputs.get(name).ok_or_else(missing)?.clone())
        }
    };
    words
        .iter()
        .map(|word| word.0.iter().map(piece).collect())
        .collect()
}
