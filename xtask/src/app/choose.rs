//! The target, and why it is that one.

use anyhow::Result;
use clap::ValueEnum;

use crate::fail::{Fail, broken};
use crate::state::{self, State};
use crate::target::TargetKind;

/// A target that was chosen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chosen {
    /// The target.
    pub(crate) kind: TargetKind,
    /// Why it is that one, for a person.
    pub(crate) why: &'static str,
    /// Whether nobody chose it.
    pub(crate) is_default: bool,
}

impl Chosen {
    /// What was typed, else what the environment says, else what was remembered, else
    /// local.
    pub(super) fn of(typed: Option<TargetKind>, state: &State) -> Result<Chosen> {
        let chosen = |kind, why| Chosen {
            kind,
            why,
            is_default: false,
        };
        if let Some(kind) = typed {
            return Ok(chosen(kind, "named by --on"));
        }
        let from_env = std::env::var("WORKSHOP_ON").ok();
        if let Some(name) = from_env.filter(|name| !name.is_empty()) {
            return Ok(chosen(parse(&name, "WORKSHOP_ON")?, "named by WORKSHOP_ON"));
        }
        Ok(match remembered(state)? {
            Some(kind) => chosen(kind, "chosen before"),
            None => Chosen {
                is_default: true,
                ..chosen(TargetKind::Local, "no cluster was chosen")
            },
        })
    }
}

/// The target of a command that names none.
pub(super) fn remembered_or_local(state: &State) -> Result<TargetKind> {
    Ok(remembered(state)?.unwrap_or(TargetKind::Local))
}

/// Remembers a target for the commands to come.
pub(super) fn remember(kind: TargetKind, state: &State) -> Result<()> {
    state::write(&state.path("target"), kind.name().as_bytes(), 0o600)
}

fn remembered(state: &State) -> Result<Option<TargetKind>> {
    let Some(name) = state::read(&state.path("target"))? else {
        return Ok(None);
    };
    let name = String::from_utf8_lossy(&name);
    Ok(Some(parse(&name, "the state directory")?))
}

fn parse(name: &str, from: &str) -> Result<TargetKind, Fail> {
    TargetKind::from_str(name.trim(), false).map_err(|_| {
        broken(format!("{from} names no target: {:?}", name.trim()))
            .hint("the targets are: local, minikube, cluster")
    })
}
