//! The way back from the chapters that sign: the same on every target.

use anyhow::Result;

use crate::plan::{Command, Plan, Step};
use crate::target::Target;
use crate::target::steps::Unsign;
use crate::words;

/// Adds to a plan how what the chapter of this name signed is taken back; nothing
/// where it signed nothing, as where nothing is installed.
///
/// # Errors
/// Where the sample is not known.
pub fn push(plan: &mut Plan, target: &dyn Target, chapter: &str) -> Result<()> {
    let (what, attestations) = match chapter {
        "sign" => ("signatures", false),
        "attestations" => ("attestations", true),
        _ => return Ok(()),
    };
    if !target.installed() {
        return Ok(());
    }
    let sample = target.sample()?;
    let title = format!("take the {what} of {sample} out of the registry");
    let unsign = Unsign {
        image: sample,
        attestations,
    };
    plan.push(Step::new("unsign", title).xtask(unsign));
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
