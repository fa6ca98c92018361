//! When the local target looks at the machine before an installation.

use crate::local::Local;
use crate::plan::Step;
use crate::target::PreflightOptions;
use crate::target::steps::Preflight;

/// It names taken ports before minutes are spent on a build.
pub(crate) fn step(local: &Local) -> Step {
    let options = PreflightOptions {
        rekor: Some(local.settings.rekor),
        ports: local.settings.port_base.into(),
    };
    let local = local.clone();
    Step::new("preflight", "check what the machine has")
        .done(move || {
            let done = local.build.built(local.settings.rekor) && local.all_run()?;
            Ok(done.then(|| "the servers are built, and run".to_owned()))
        })
        .xtask(Preflight { options })
}
