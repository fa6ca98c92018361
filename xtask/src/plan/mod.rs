//! A plan is a value: the steps a command would take, before any is taken.
//!
//! Commands build plans, [`run`] executes them and [`shell`] prints them. While
//! a plan is built nothing runs, so a test can compare what would run with what
//! should.

pub mod run;
pub mod shell;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::fail::{Fail, broken};

/// The steps of one command, in an order in which they could run one by one.
pub struct Plan {
    /// The command that runs it, as the user typed its name: `install`.
    pub command: String,
    /// The options that every `cargo xtask` of it carries: `--on local`.
    pub globals: Vec<String>,
    /// Every step, each after those it needs.
    pub steps: Vec<Step>,
}

/// Tells whether a step has been done before: `Some(how it is seen)` or `None`.
pub type Probe = Arc<dyn Fn() -> Result<Option<String>> + Send + Sync>;

/// One step of a plan.
pub struct Step {
    /// A word that `--from` takes: `fulcio`.
    pub name: String,
    /// What it does, for a person: `start Fulcio, the certificate authority`.
    pub title: String,
    /// The names of the steps that must be done before.
    pub needs: Vec<String>,
    /// How to see that there is nothing to do; `None` where it always runs.
    pub done: Option<Probe>,
    /// What it runs, one after the other.
    pub actions: Vec<Action>,
    /// What must hold before those that need it may start.
    pub ready: Option<Ready>,
    /// A clean-up: it runs once all it needs have ended, however they ended.
    pub always: bool,
    /// What it does must be done anew in every run in which a step that needs it
    /// runs: a token lives for minutes.
    pub again: bool,
}

/// What a step runs.
pub enum Action {
    /// Another program.
    Run(Command),
    /// A subcommand of `cargo xtask`, run in this process.
    Xtask(Vec<Word>),
}

/// A program to run.
pub struct Command {
    /// Its name or path, then its arguments.
    pub words: Vec<Word>,
    /// Environment variables set for it.
    pub env: Vec<(String, String)>,
    /// Where it runs; the caller's directory where there is none.
    pub dir: Option<PathBuf>,
    /// The name under which later commands refer to its standard output.
    pub output: Option<&'static str>,
    /// How its output tells how far it is.
    pub progress: Option<Progress>,
    /// Whether it runs to its end although the user interrupts: it cleans up.
    pub finishes: bool,
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
    LinesOf(&'static str),
}

/// What must hold before a step counts as done.
#[derive(Debug, Clone, PartialEq)]
pub struct Ready {
    /// The component whose early death ends the waiting.
    pub component: String,
    /// Where it answers: `http://…` (any 2xx) or `tcp://host:port`.
    pub address: String,
    /// How long to wait for it.
    pub within: Duration,
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
    Output(&'static str),
}

impl Word {
    /// The output of an earlier command.
    pub fn output(name: &'static str) -> Word {
        Word(vec![Piece::Output(name)])
    }

    /// The names of the outputs it is made of.
    pub fn outputs(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Output(name) => Some(*name),
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
    ($($word:expr),* $(,)?) => { vec![$($crate::plan::Word::from($word)),*] };
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
    pub fn output(mut self, name: &'static str) -> Command {
        self.output = Some(name);
        self
    }

    /// Lets it run to its end although the user interrupts.
    pub fn finishes(mut self) -> Command {
        self.finishes = true;
        self
    }

    /// Says how its output tells how far it is.
    pub fn progress(mut self, counts: fn(&str) -> bool, total: Total) -> Command {
        self.progress = Some(Progress { counts, total });
        self
    }
}

impl From<Command> for Action {
    fn from(command: Command) -> Action {
        Action::Run(command)
    }
}

impl Action {
    /// The outputs of earlier commands that it refers to.
    pub fn inputs(&self) -> Vec<&'static str> {
        let words = match self {
            Action::Run(command) => &command.words,
            Action::Xtask(words) => words,
        };
        let mut names: Vec<_> = words.iter().flat_map(Word::outputs).collect();
        if let Action::Run(Command {
            progress:
                Some(Progress {
                    total: Total::LinesOf(name),
                    ..
                }),
            ..
        }) = self
        {
            names.push(name);
        }
        names
    }

    /// The name it gives its output.
    pub fn output(&self) -> Option<&'static str> {
        match self {
            Action::Run(command) => command.output,
            Action::Xtask(_) => None,
        }
    }
}

impl Step {
    /// A step that needs nothing and does nothing yet.
    pub fn new(name: impl Into<String>, title: impl Into<String>) -> Step {
        Step {
            name: name.into(),
            title: title.into(),
            needs: Vec::new(),
            done: None,
            actions: Vec::new(),
            ready: None,
            always: false,
            again: false,
        }
    }

    /// Adds steps that must be done before.
    pub fn needs<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Step {
        self.needs.extend(names.into_iter().map(Into::into));
        self
    }

    /// Says how to see that there is nothing to do.
    pub fn done(
        mut self,
        probe: impl Fn() -> Result<Option<String>> + Send + Sync + 'static,
    ) -> Step {
        self.done = Some(Arc::new(probe));
        self
    }

    /// Adds a program to run.
    pub fn run(mut self, command: Command) -> Step {
        self.actions.push(Action::Run(command));
        self
    }

    /// Adds a subcommand of `cargo xtask` to run in this process.
    pub fn xtask(mut self, words: Vec<Word>) -> Step {
        self.actions.push(Action::Xtask(words));
        self
    }

    /// Says what must hold before those that need it may start.
    pub fn ready(mut self, ready: Ready) -> Step {
        self.ready = Some(ready);
        self
    }

    /// Makes it one that `--from` a later step does not leave out.
    pub fn again(mut self) -> Step {
        self.again = true;
        self
    }

    /// Makes it a clean-up.
    pub fn always(mut self) -> Step {
        self.always = true;
        self
    }
}

impl Plan {
    /// An empty plan of this command; `globals` are the options that every
    /// `cargo xtask` of it carries.
    pub fn new(command: impl Into<String>, globals: Vec<String>) -> Plan {
        Plan {
            command: command.into(),
            globals,
            steps: Vec::new(),
        }
    }

    /// Adds a step. Needs that name no step of this plan are dropped: the same
    /// step serves `install`, where its needs are steps too, and `start`, where
    /// they were done long ago.
    pub fn push(&mut self, mut step: Step) {
        step.needs
            .retain(|need| self.steps.iter().any(|earlier| earlier.name == *need));
        self.steps.push(step);
    }

    /// These steps and all that they need, directly or not.
    pub fn needed_by(&self, chosen: &[bool]) -> Vec<bool> {
        let mut all = chosen.to_vec();
        for i in (0..all.len()).rev() {
            if all[i] {
                for (j, earlier) in self.steps[..i].iter().enumerate() {
                    all[j] |= self.steps[i].needs.contains(&earlier.name);
                }
            }
        }
        all
    }

    /// Which steps `--from NAME` runs: it, all that need it, and before them those
    /// whose output one of them reads and those that must be done again.
    ///
    /// # Errors
    /// Where no step has that name; the names there are become the hint.
    pub fn from_step(&self, name: &str) -> Result<Vec<bool>, Fail> {
        let names: Vec<_> = self.steps.iter().map(|step| step.name.as_str()).collect();
        if !names.contains(&name) {
            return Err(
                broken(format!("`{}` has no step named {name:?}", self.command))
                    .hint(format!("its steps are: {}", names.join(", "))),
            );
        }
        let mut chosen: Vec<bool> = names.iter().map(|n| *n == name).collect();
        for (i, step) in self.steps.iter().enumerate() {
            let needs_chosen = |need: &String| {
                self.steps[..i]
                    .iter()
                    .zip(&chosen)
                    .any(|(s, c)| *c && s.name == *need)
            };
            if step.needs.iter().any(needs_chosen) {
                chosen[i] = true;
            }
        }
        for i in (0..self.steps.len()).rev() {
            if chosen[i] {
                let wanted: Vec<_> = self.steps[i]
                    .actions
                    .iter()
                    .flat_map(Action::inputs)
                    .collect();
                for (j, step) in self.steps[..i].iter().enumerate() {
                    let mut outputs = step.actions.iter().filter_map(Action::output);
                    let read = outputs.any(|output| wanted.contains(&output));
                    if read || step.again && self.steps[i].needs.contains(&step.name) {
                        chosen[j] = true;
                    }
                }
            }
        }
        Ok(chosen)
    }
}
