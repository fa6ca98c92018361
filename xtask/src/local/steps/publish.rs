//! The trust material, published by TUF for the clients that take it by themselves.

use anyhow::Result;

use crate::exec::output_of;
use crate::local::Local;
use crate::plan::Step;
use crate::{time, words};

/// It is done where clients get the trust material as it is now.
pub(crate) fn step(local: &Local) -> Result<Step> {
    let publish = local.publish_command(words![])?;
    let check = local.publish_command(words!["--check"])?;
    let local = local.clone();
    Ok(Step::new(
        "publish",
        "publish the trusted root and the signing config, by TUF",
    )
    .needs(["trust"])
    .done(move || {
        // The program of an installation that is not built says nothing.
        let current = output_of(&check, None).is_ok();
        let end = local.publication_end().ok().flatten();
        Ok(end
            .filter(|_| current)
            .map(|(_, end)| format!("clients have them as they are, until {}", time::format(end))))
    })
    .run(publish))
}
