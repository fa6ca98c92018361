//! A plan is a value: the steps a command would take, before any is taken.
//!
//! Commands build plans, [`run`] executes them and [`shell`] prints them. While
//! a plan is built nothing runs, so a test can compare what would run with what
//! should.

mod board;
mod choose;
mod outcome;
pub(crate) mod ready;
pub(crate) mod reporter;
pub(crate) mod run;
pub(crate) mod shell;
mod stage;
pub(crate) mod step;
pub(crate) mod step_args;

use anyhow::Result;

pub(crate) use crate::exec::{Command, Piece, Progress, Total, Word};
pub(crate) use outcome::{End, Outcome, StepValue};
pub(crate) use ready::Ready;
pub(crate) use reporter::{Reporter, StepEvent, StepRef};
pub(crate) use run::StepRunner;
pub(crate) use stage::InstallStage;
pub(crate) use step::{Action, Step, numbered};
pub(crate) use step_args::StepArgs;

/// The steps of one command, in an order in which they could run one by one.
pub struct Plan {
    /// The command that runs it, as the user typed its name: `install`.
    pub command: String,
    /// The options that every `cargo xtask` of it carries: `--on local`.
    pub globals: Vec<String>,
    /// Every step, each after those it needs.
    pub steps: Vec<Step>,
    /// How many steps run at once.
    pub at_once: usize,
    /// Whether the steps are so many and so alike that one bar shows them all.
    pub many: bool,
}

/// All servers at once, and not two hundred cosigns.
const AT_ONCE: usize = 16;

impl Plan {
    /// An empty plan of this command; `globals` are the options that every
    /// `cargo xtask` of it carries.
    pub fn new(command: impl Into<String>, globals: Vec<String>) -> Plan {
        Plan {
            command: command.into(),
            globals,
            steps: Vec::new(),
            at_once: AT_ONCE,
            many: false,
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

    /// Adds steps that belong to a stage of an install.
    pub fn push_stage(
        &mut self,
        stage: InstallStage,
        push: impl FnOnce(&mut Plan) -> Result<()>,
    ) -> Result<()> {
        let before = self.steps.len();
        push(self)?;
        for step in &mut self.steps[before..] {
            step.stage = Some(stage);
        }
        Ok(())
    }
}
