//! A plan is a value: the steps a command would take, before any is taken.
//!
//! Commands build plans, [`run`] executes them and [`shell`] prints them. While
//! a plan is built nothing runs, so a test can compare what would run with what
//! should.

mod choose;
pub mod ready;
pub mod reporter;
pub mod run;
pub mod shell;
pub mod step;
pub mod step_args;

pub use crate::exec::{Command, Piece, Progress, Total, Word};
pub use ready::Ready;
pub use reporter::{Reporter, StepEvent, StepRef};
pub use run::{End, Outcome, StepRunner, StepValue};
pub use step::{Action, Probe, Step};
pub use step_args::StepArgs;

/// The steps of one command, in an order in which they could run one by one.
pub struct Plan {
    /// The command that runs it, as the user typed its name: `install`.
    pub command: String,
    /// The options that every `cargo xtask` of it carries: `--on local`.
    pub globals: Vec<String>,
    /// Every step, each after those it needs.
    pub steps: Vec<Step>,
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
}
