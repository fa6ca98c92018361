//! The way back from the chapters that sign: the same on every target.

use std::path::Path;

use anyhow::Result;

use crate::plan::{Command, Plan, Step, Word};
use crate::registry::{self, Reference};
use crate::state::State;
use crate::target::Target;
use crate::target::TargetKind;
use crate::walkthrough::progress;
use crate::words;

/// Adds to a plan how what the chapter of this name signed is taken back; nothing
/// where it signed nothing, as where nothing is installed.
///
/// # Errors
/// Where the sample is not known.
pub fn push(plan: &mut Plan, target: &dyn Target, chapter: &str) -> Result<()> {
    let (what, option) = match chapter {
        "sign" => ("signatures", None),
        "attestations" => ("attestations", Some("--attestations")),
        _ => return Ok(()),
    };
    if !target.installed() {
        return Ok(());
    }
    let sample = target.sample()?;
    let mut words = words!["step", "unsign", sample.as_str()];
    words.extend(option.map(Word::from));
    let title = format!("take the {what} of {sample} out of the registry");
    plan.push(Step::new("unsign", title).xtask(words));
    if chapter == "sign" {
        let [list, bundles] = ["signatures.json", "signatures"].map(|name| target.dir().join(name));
        plan.push(
            Step::new("signatures", "forget the signatures that were made here")
                .needs(["unsign"])
                .run(Command::new(words!["rm", "-rf", list, bundles])),
        );
    }
    Ok(())
}

/// Takes the signatures of an image out of its registry, or only those that state more
/// than that it was signed (`cargo xtask step unsign`).
///
/// # Errors
/// Where the registry cannot be reached, or refuses.
pub fn unsign(target: &dyn Target, image: &str, attestations: bool) -> Result<()> {
    let reference = Reference::read(image)?;
    let reached = target.reach_registry(&reference.host)?;
    registry::forget(&reached.server, &reference, attestations)?;
    Ok(())
}

/// Forgets that a chapter was done on the target that has this directory, with all that
/// was done in the `later` ones (`cargo xtask step unlearn`).
///
/// # Errors
/// Where what is remembered is damaged, or cannot be written.
pub fn unlearn(dir: &Path, on: TargetKind, chapter: &str, later: bool) -> Result<()> {
    let state = State::open(dir.parent().unwrap_or(dir).to_owned())?;
    progress::unlearn(&state, on, chapter, later)
}
