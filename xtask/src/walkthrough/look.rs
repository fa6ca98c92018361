//! Checks whether something that a chapter asks for is done: on the live system and,
//! where that shows nothing, in what is remembered.

use anyhow::Result;

use super::DoneWhen;
use super::by_hand;
use super::progress::ReaderProgress;
use crate::bundle::Content;
use crate::evidence::CheckpointStore;
use crate::evidence::{Inspected, Online, TrustPolicy, inspect_bundles, inspect_image};
use crate::fail::{Fail, NOT_SO};
use crate::plan::{Plan, Step};
use crate::preflight;
use crate::proof::policy::Policy;
use crate::target::{
    ClusterOptions, Component, ComponentState, InstallOptions, PreflightOptions, Target,
};

/// Checks whether something is done on a target, and returns how that is seen, or `None`.
pub(super) struct Look<'a> {
    pub(super) target: &'a dyn Target,
    pub(super) progress: &'a ReaderProgress,
    /// Whether each answer of a server is reported on standard error.
    pub(super) trace: bool,
}

impl Look<'_> {
    /// Checks it; an error where something is broken or does not answer.
    pub(super) fn at(&self, done_when: &DoneWhen) -> Result<Option<String>> {
        match self.seen(done_when) {
            // An answer of "no" is what is looked for.
            Err(error) if Fail::from_error(&error).exit == NOT_SO => Ok(None),
            other => other,
        }
    }

    fn seen(&self, done_when: &DoneWhen) -> Result<Option<String>> {
        let target = self.target;
        match done_when {
            DoneWhen::Machine => machine(target),
            DoneWhen::Prefetched => {
                all_done(&target.prefetch(&ClusterOptions::default())?, |_| true)
            }
            DoneWhen::Installed => all_done(&target.install(&InstallOptions::default())?, |_| true),
            DoneWhen::Did(milestone) => {
                let time = self.progress.milestones.get(&milestone.name());
                Ok(time.map(|time| format!("at {time}")))
            }
            // The rest needs an installation.
            _ if !target.installed() => Ok(None),
            DoneWhen::Part(stage) => {
                let plan = target.stage(*stage, &ClusterOptions::default())?;
                all_done(&plan, |step| step.stage == Some(*stage))
            }
            DoneWhen::Up(names) => up(target, names),
            DoneWhen::Checkpoint => {
                let kept = CheckpointStore::read(&target.dir())?;
                Ok((!kept.is_empty()).then(|| "it is kept".to_owned()))
            }
            // What does not run shows nothing, and that it does not run is said already.
            DoneWhen::CertificateAsked => Ok(by_hand::certificate(target).ok().flatten()),
            DoneWhen::EntryWritten => Ok(by_hand::entry(target).ok().flatten()),
            // Before an install is complete there is no trusted root to prove anything
            // with.
            _ if !target.trusted_root()?.exists() => Ok(None),
            DoneWhen::SampleSigned => self.sample_signed(),
            DoneWhen::Attested => self.signature_of_sample(attested),
            DoneWhen::FileSigned => self.file_signed(),
        }
    }

    fn sample_signed(&self) -> Result<Option<String>> {
        let identity = self.target.identity(self.target.default_user())?;
        self.signature_of_sample(|inspected| {
            let leaf = inspected.evidence.leaf()?;
            let by_them = leaf.identities().contains(&identity);
            (by_them && !is_attestation(inspected)).then(|| format!("by {identity}"))
        })
    }

    /// What is seen in the first signature of the sample that shows it and every link of
    /// which holds.
    fn signature_of_sample(
        &self,
        seen: impl Fn(&Inspected) -> Option<String>,
    ) -> Result<Option<String>> {
        let (target, trust) = (self.target, self.trust()?);
        let mut found = None;
        let show = |inspected: Inspected| {
            if found.is_none() && inspected.proof.failed().is_empty() {
                found = seen(&inspected);
            }
            Ok(())
        };
        let sample = target.sample()?;
        inspect_image(target, &sample, Online(false), self.trace, &trust, show)?;
        Ok(found)
    }

    /// Whether a file that was signed here is there, and proves with its bundle.
    fn file_signed(&self) -> Result<Option<String>> {
        for signature in self.target.signatures()?.into_iter().rev() {
            let file = std::path::Path::new(&signature.artifact);
            if signature.image || !file.is_file() || !signature.bundle.is_file() {
                continue;
            }
            let mut proved = false;
            let show = |inspected: Inspected| {
                proved = inspected.proof.failed().is_empty();
                Ok(())
            };
            let bundle = std::slice::from_ref(&signature.bundle);
            inspect_bundles(bundle, Some(file), &self.trust()?, show)?;
            if proved {
                let (artifact, identity) = (&signature.artifact, &signature.identity);
                return Ok(Some(format!("{artifact}, by {identity}")));
            }
        }
        Ok(None)
    }

    fn trust(&self) -> Result<TrustPolicy> {
        TrustPolicy::of_installation(&self.target.trusted_root()?, Policy::default())
    }
}

fn machine(target: &dyn Target) -> Result<Option<String>> {
    let checks = target.preflight(&PreflightOptions::default())?;
    preflight::verdict(&checks)?;
    Ok(Some("the preflight finds nothing missing".to_owned()))
}

/// Whether every one of these steps sees that there is nothing to do.
fn all_done(plan: &Plan, of: impl Fn(&Step) -> bool) -> Result<Option<String>> {
    for step in plan.steps.iter().filter(|step| of(step)) {
        if let Some(done) = &step.done
            && done()?.is_none()
        {
            return Ok(None);
        }
    }
    Ok(Some("nothing is left to do".to_owned()))
}

fn up(target: &dyn Target, names: &[String]) -> Result<Option<String>> {
    let mut there = target.status()?;
    there.retain(|component| names.contains(&component.name));
    let up = |component: &Component| component.state == ComponentState::Up;
    let up = !there.is_empty() && there.iter().all(up);
    let addresses: Vec<_> = there
        .iter()
        .map(|component| component.address.as_str())
        .collect();
    Ok(up.then(|| format!("at {}", addresses.join(", "))))
}

fn attested(inspected: &Inspected) -> Option<String> {
    let content = content(inspected)?;
    let kind = content.predicate_type()?;
    content
        .is_attestation()
        .then(|| format!("of the type {kind}"))
}

fn content(inspected: &Inspected) -> Option<&Content> {
    inspected
        .evidence
        .bundle
        .as_ref()
        .map(|bundle| &bundle.content)
}

fn is_attestation(inspected: &Inspected) -> bool {
    content(inspected).is_some_and(Content::is_attestation)
}
