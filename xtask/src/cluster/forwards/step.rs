//! The step that opens a forward.

use anyhow::Result;

use super::{Forwards, PortForward, WITHIN};
use crate::cluster::steps::LaunchForward;
use crate::local::{process, wait};
use crate::plan::{Ready, Step};

/// The step that opens a forward; it is done where the same one is open.
pub(crate) fn open_step(forwards: &Forwards, forward: &PortForward) -> Result<Step> {
    let (name, process, url) = (forward.server.name, forward.process(), forward.url());
    let words = forwards.command_line(forward)?;
    let launch = LaunchForward {
        component: process.clone(),
        words: words.clone(),
    };
    let ready = Ready::answers(&process, &url, WITHIN);
    let title = format!("forward {} to {name} in the cluster", forward.address());
    let dir = forwards.dir.clone();
    Ok(Step::new(format!("forward-{name}"), title)
        .done(move || {
            let is_same = |record: &process::ProcessRecord| {
                record.fingerprint == process::fingerprint(&dir, &words, &[])
            };
            let record = process::running(&dir, &process)?.filter(is_same);
            let record = record.filter(|_| wait::answers(&url));
            Ok(record.map(|record| format!("it runs as process {}", record.pid)))
        })
        .xtask(launch)
        .ready(ready))
}
