//! One step of a plan, and what it runs.

use std::sync::Arc;

use anyhow::Result;

use super::{Command, InstallStage, Progress, Ready, StepArgs, Total, Word};

/// Tells whether a step has been done before: `Some(how it is seen)` or `None`.
pub(crate) type Probe = Arc<dyn Fn() -> Result<Option<String>> + Send + Sync>;

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
    /// The stage of an install that it belongs to.
    pub stage: Option<InstallStage>,
    /// What it runs, one after the other.
    pub actions: Vec<Action>,
    /// What must hold before those that need it may start.
    pub ready: Option<Ready>,
    /// A clean-up: it runs once all it needs have ended, however they ended.
    pub always: bool,
    /// Every run in which a step that needs it runs must do it again: a token lives
    /// for minutes.
    pub again: bool,
}

/// What tells the steps of several artifacts apart: nothing for the first, then
/// `-2`, `-3`.
pub(crate) fn numbered(i: usize) -> String {
    if i == 0 {
        String::new()
    } else {
        format!("-{}", i + 1)
    }
}

/// What a step runs.
pub enum Action {
    /// Another program.
    Run(Command),
    /// A subcommand of `cargo xtask`, run in this process.
    Xtask(Vec<Word>),
}

impl From<Vec<Word>> for Action {
    fn from(words: Vec<Word>) -> Action {
        Action::Xtask(words)
    }
}

impl<S: StepArgs> From<S> for Action {
    fn from(step: S) -> Action {
        Action::Xtask(step.words())
    }
}

impl Action {
    /// The outputs of earlier commands that it refers to.
    pub fn inputs(&self) -> Vec<&str> {
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
    pub fn output(&self) -> Option<&str> {
        match self {
            Action::Run(command) => command.output.as_deref(),
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
            stage: None,
            actions: Vec::new(),
            ready: None,
            always: false,
            again: false,
        }
    }

    /// Gives it another name, where a plan has two such steps.
    pub(crate) fn named(mut self, name: &str) -> Step {
        name.clone_into(&mut self.name);
        self
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

    /// Says which stage of an install it belongs to.
    pub fn stage(mut self, stage: InstallStage) -> Step {
        self.stage = Some(stage);
        self
    }

    /// Adds a program to run.
    pub fn run(mut self, command: Command) -> Step {
        self.actions.push(Action::Run(command));
        self
    }

    /// Adds a subcommand of `cargo xtask` to run in this process.
    pub fn xtask(mut self, step: impl Into<Action>) -> Step {
        self.actions.push(step.into());
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
