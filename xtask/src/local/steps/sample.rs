//! The sample image, which an installation pushes for those who sign.

use anyhow::{Context, Result};

use crate::local::Local;
use crate::plan::{Command, Step};
use crate::target::Signing;
use crate::words;

/// Where the registry keeps the tag of the image, below its data.
const TAG: &str = "docker/registry/v2/repositories/sample/_manifests/tags/latest";

/// It is done where the registry has the image.
pub(crate) fn step(local: &Local) -> Result<Step> {
    let (sample, registry) = (local.sample()?, local.registry()?);
    let data = local.data(registry)?;
    let data = data.context("servers.yml names no data of the registry")?;
    let (pushed, program) = (data.join(TAG), local.build.program("loopback"));
    let title = format!("push a sample image to {sample}");
    let certificate = local.registry_certificate()?;
    let push = words![program, "sample", "--ca-cert", certificate, sample];
    Ok(Step::new("sample", title)
        .needs([&registry.name])
        .done(move || Ok(pushed.exists().then(|| "it is in the registry".to_owned())))
        .run(Command::new(push).dir(&local.dir)))
}
