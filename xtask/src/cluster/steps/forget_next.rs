//! `step forget-next-key`: the Secret in which a key was made goes once its server has it.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::cluster::copies::next_of;
use crate::cluster::kubectl::Kubectl;
use crate::cluster::object::DEFAULT;
use crate::cluster::rotation::{Turning, is_taken, maker};
use crate::fail::broken;
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::words;

/// Remove the Secret in which the key was made that its server has now
#[derive(Debug, PartialEq, Args)]
pub(crate) struct ForgetNext {
    /// Whose key.
    pub(crate) server: Turning,
}

impl StepArgs for ForgetNext {
    const NAME: &'static str = "forget-next-key";

    fn arguments(&self) -> Vec<Word> {
        words![self.server.name()]
    }
}

impl ForgetNext {
    /// The step that removes it; it is done where there is none.
    pub(in crate::cluster) fn step(kubectl: &Kubectl, server: Turning) -> Result<Step> {
        let (kubectl, next) = (kubectl.clone(), server.next()?);
        let title = format!("remove {}, in which the key was made", next.secret);
        Ok(Step::new(ForgetNext::NAME, title)
            .done(move || {
                let gone = next_of(&kubectl, server.server())?.is_none();
                Ok(gone.then(|| "it is gone".to_owned()))
            })
            .xtask(ForgetNext { server }))
    }

    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let (server, next) = (self.server.server(), self.server.next()?);
        let kubectl = cluster.kubectl()?;
        if !is_taken(&kubectl, self.server)? {
            let what = format!("{} does not have its next key yet", server.name);
            let hint = format!("cargo xtask rotate {}", self.server.key().name());
            return Err(broken(what).hint(hint).into());
        }
        // Last of all the Secret: as long as it is there, the rotation has not ended.
        if let Some(maker) = maker(next) {
            kubectl.remove(server.namespace, &maker)?;
        }
        if let Some(part) = &server.public {
            kubectl.remove(DEFAULT, &format!("secret/{}", part.next_copy()))?;
        }
        let public = format!("secret/{}-public", next.secret);
        kubectl.remove(server.namespace, &public)?;
        kubectl.remove(server.namespace, &format!("secret/{}", next.secret))
    }
}
