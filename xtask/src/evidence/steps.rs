//! The step that proves a signature, beside those of the target.

use anyhow::Result;

use super::from_bundles;
use super::from_image;
use super::signer::{Verified, Wanted};
use super::{Inspected, TrustPolicy};
use crate::artifact::Artifact;
use crate::fail::{Fail, broken};
use crate::parallel;
use crate::plan::{Ready, StepEvent, StepRunner, StepValue, step_args};
use crate::steps;
use crate::target::steps::Prove;
use crate::target::{SignerArgs, Target};
use crate::text::quote;

steps! {
    /// The steps that prove.
    EvidenceStep of Prover<'_> {
        Prove(Prove),
    }
}

/// Proves signatures, and leaves all other steps to the target, where there is one.
pub(crate) struct Prover<'a> {
    /// The target; none where a trusted root is named.
    pub(crate) target: Option<&'a dyn Target>,
}

impl Prove {
    fn run(self, prover: &Prover<'_>, _: &dyn Fn(StepEvent<'_>)) -> Result<Verified> {
        self.verified(prover.target)
    }

    /// Whom to believe.
    fn trust(&self, target: Option<&dyn Target>) -> Result<TrustPolicy> {
        let policy = self.signer.policy()?;
        match (&self.trusted_root, target) {
            (Some(file), _) => TrustPolicy::named(file, policy),
            (None, Some(target)) => TrustPolicy::of_installation(&target.trusted_root()?, policy),
            (None, None) => Err(nothing_installed()),
        }
    }

    fn verified(&self, target: Option<&dyn Target>) -> Result<Verified> {
        let trust = self.trust(target)?;
        let mut found = Vec::new();
        let mut keep = |one: Inspected| {
            found.push(one);
            Ok(())
        };
        let (name, shown_by) = match (&self.image, &self.blob, &self.bundle) {
            (Some(image), ..) => {
                let name = from_image::offline(target, image, &trust, keep);
                let name = match &self.attestation {
                    None => name?,
                    Some(_) => {
                        let image = Artifact::Image(image.clone());
                        name.map_err(|error| image.not_attested(Fail::from_error(&error)))?
                    }
                };
                (name, quote(image))
            }
            (None, Some(file), Some(bundle)) => {
                let artifact = Artifact::Blob {
                    file: file.clone(),
                    bundle: bundle.clone(),
                };
                artifact.require_statement(self.attestation.is_some())?;
                let bundles = [bundle.clone()];
                from_bundles::inspect(&bundles, Some(file), &trust, &mut keep)?;
                (file.display().to_string(), artifact.inspected_by())
            }
            _ => return Err(broken("neither an image nor a file with its bundle is named").into()),
        };
        let wanted = Wanted {
            name: &name,
            is_image: self.image.is_some(),
            signer: &self.signer,
            attestation: self.attestation.as_deref(),
            shown_by: &shown_by,
        };
        Ok(wanted.among(&found)?)
    }
}

/// Of each artifact whether this signer has signed it. What cannot be read is not signed.
pub(crate) fn signed_already(
    target: &dyn Target,
    artifacts: &[Artifact],
    signer: &SignerArgs,
) -> Result<Vec<bool>> {
    let mut signed = Vec::new();
    let is_signed = |artifact: &Artifact| {
        let prove = Prove::of(artifact, signer);
        artifact.require_bundle().is_ok() && prove.verified(Some(target)).is_ok()
    };
    parallel::ordered(artifacts, is_signed, |one| {
        signed.push(one);
        Ok(())
    })?;
    Ok(signed)
}

fn nothing_installed() -> anyhow::Error {
    let hint = "name whom to trust: --trusted-root FILE";
    broken("nothing is installed here").hint(hint).into()
}

impl StepRunner for Prover<'_> {
    fn xtask(&self, words: &[String], report: &dyn Fn(StepEvent<'_>)) -> Result<StepValue> {
        if step_args::is_of::<EvidenceStep>(words) {
            return step_args::parse::<EvidenceStep>(words)?.run(self, report);
        }
        match self.target {
            Some(target) => target.xtask(words, report),
            None => Err(nothing_installed()),
        }
    }

    fn wait(&self, ready: &Ready, report: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        match self.target {
            Some(target) => target.wait(ready, report),
            None => Err(nothing_installed()),
        }
    }

    fn heeds_interrupts(&self) -> bool {
        self.target.is_some_and(StepRunner::heeds_interrupts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::step_args::each_is_read_from_its_words;

    #[test]
    fn each_step_is_what_is_read_from_its_words() {
        let of_image = Prove {
            image: Some("127.0.0.1:17810/sample:latest".into()),
            attestation: Some("https://example.com/tested/v1".into()),
            signer: SignerArgs {
                identity: Some("alice@example.com".into()),
                issuer_regexp: Some("^https://.*$".into()),
                ..SignerArgs::default()
            },
            ..Prove::default()
        };
        let of_file = Prove {
            blob: Some("/a b/file".into()),
            bundle: Some("/a b/file.sigstore.json".into()),
            trusted_root: Some("/root.json".into()),
            signer: SignerArgs {
                key: Some("/key.pem".into()),
                ..SignerArgs::default()
            },
            ..Prove::default()
        };
        let all = [EvidenceStep::Prove(of_image), EvidenceStep::Prove(of_file)];
        each_is_read_from_its_words(&all, EvidenceStep::words);
    }
}
