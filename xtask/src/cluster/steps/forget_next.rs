//! `step forget-next-key`: the Secret in which a key was made goes once its server has it.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::cluster::copies::next_of;
use crate::cluster::kubectl::Kubectl;
use crate::cluster::object::DEFAULT;
use crate::cluster::rotation::{maker, next_key, turning};
use crate::cluster::servers::{ClusterServer, NextKey};
use crate::fail::broken;
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::target::RotatedKey;
use crate::words;

/// Remove the Secret in which the key was made that its server has now
#[derive(Debug, PartialEq, Args)]
pub(crate) struct ForgetNext {
    /// Which key.
    pub(crate) key: RotatedKey,
}

impl StepArgs for ForgetNext {
    const NAME: &'static str = "forget-next-key";

    fn arguments(&self) -> Vec<Word> {
        words![self.key.name()]
    }
}

impl ForgetNext {
    /// The step that removes it; it is done where there is none.
    pub(in crate::cluster) fn step(
        kubectl: &Kubectl,
        key: RotatedKey,
        server: &'static ClusterServer,
        next: &NextKey,
    ) -> Step {
        let kubectl = kubectl.clone();
        let title = format!("remove {}, in which the key was made", next.secret);
        Step::new(ForgetNext::NAME, title)
            .done(move || {
                let gone = next_of(&kubectl, server)?.is_none();
                Ok(gone.then(|| "it is gone".to_owned()))
            })
            .xtask(ForgetNext { key })
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let (server, next) = turning(self.key)?;
        let kubectl = cluster.kubectl()?;
        if !next_key::is_taken(&kubectl, server, next)? {
            let what = format!("{} does not have its next key yet", server.name);
            let hint = format!("cargo xtask rotate {}", self.key.name());
            return Err(broken(what).hint(hint).into());
        }
        // Last of all the Secret: as long as it is there, the rotation has not ended.
        kubectl.remove(server.namespace, &maker(next))?;
        if let Some(part) = &server.public {
            kubectl.remove(DEFAULT, &format!("secret/{}", part.next_copy()))?;
        }
        let public = format!("secret/{}-public", next.secret);
        kubectl.remove(server.namespace, &public)?;
        kubectl.remove(server.namespace, &format!("secret/{}", next.secret))
    }
}
