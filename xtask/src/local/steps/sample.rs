//! The sample image, which an installation pushes for those who sign.

use anyhow::Result;

use crate::local::Local;
use crate::plan::{Command, Step};
use crate::target::Signing;
use crate::words;

/// Where the registry keeps the tag of the image.
const TAG: &str = "data/registry/docker/registry/v2/repositories/sample/_manifests/tags/latest";

/// It is done where the registry has the image.
pub(crate) fn step(local: &Local) -> Result<Step> {
    let sample = local.sample()?;
    let (pushed, program) = (local.dir.join(TAG), local.build.program("loopback"));
    let title = format!("push a sample image to {sample}");
    let push = words![program, "sample", "--ca-cert", "keys/registry.pem", sample];
    Ok(Step::new("sample", title)
        .needs(["registry"])
        .done(move || Ok(pushed.exists().then(|| "it is in the registry".to_owned())))
        .run(Command::new(push).dir(&local.dir)))
}
