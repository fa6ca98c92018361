//! `step prove`: every link of a signature is proved, and who made it. It is the same on
//! every target, and needs none where a trusted root is named.

use std::path::PathBuf;

use clap::Args;

use crate::artifact::Artifact;
use crate::plan::{Plan, Step, StepArgs, Word, numbered};
use crate::target::{SignerArgs, Verification};
use crate::words;

/// Prove who signed an image or a file
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub(crate) struct Prove {
    /// The image.
    #[arg(long, conflicts_with = "blob", required_unless_present = "blob")]
    pub(crate) image: Option<String>,
    /// The file.
    #[arg(long, requires = "bundle")]
    pub(crate) blob: Option<PathBuf>,
    /// The bundle that holds its signature.
    #[arg(long)]
    pub(crate) bundle: Option<PathBuf>,
    /// The type of the attestation that must be there, instead of a signature.
    #[arg(long, value_name = "TYPE")]
    pub(crate) attestation: Option<String>,
    /// The trusted root [default: that of this installation].
    #[arg(long)]
    pub(crate) trusted_root: Option<PathBuf>,
    /// Who must have signed.
    #[command(flatten)]
    pub(crate) signer: SignerArgs,
}

impl StepArgs for Prove {
    const NAME: &'static str = "prove";

    fn arguments(&self) -> Vec<Word> {
        let mut words = Vec::new();
        for (option, value) in [
            ("--image", &self.image),
            ("--attestation", &self.attestation),
        ] {
            if let Some(value) = value {
                words.extend(words![option, value]);
            }
        }
        for (option, file) in [
            ("--blob", &self.blob),
            ("--bundle", &self.bundle),
            ("--trusted-root", &self.trusted_root),
        ] {
            if let Some(file) = file {
                words.extend(words![option, file.as_path()]);
            }
        }
        words.extend(self.signer.words());
        words
    }
}

impl Prove {
    /// That this signer signed an artifact.
    pub(crate) fn of(artifact: &Artifact, signer: &SignerArgs) -> Prove {
        let common = Prove {
            signer: signer.clone(),
            ..Prove::default()
        };
        match artifact.clone() {
            Artifact::Image(image) => Prove {
                image: Some(image),
                ..common
            },
            Artifact::Blob { file, bundle } => Prove {
                blob: Some(file),
                bundle: Some(bundle),
                ..common
            },
        }
    }

    /// The step that proves one of several artifacts, called `prove` with this behind it.
    fn step(self, suffix: &str) -> Step {
        let name = match (&self.image, &self.blob) {
            (Some(image), _) => image.clone(),
            (None, file) => file.iter().map(|file| file.display().to_string()).collect(),
        };
        let what = match &self.attestation {
            Some(kind) => format!("attested {kind} of {name}"),
            None => format!("signed {name}"),
        };
        let title = format!("prove that {} {what}", self.signer.expected());
        Step::new(format!("prove{suffix}"), title).xtask(self)
    }
}

/// Adds the steps that prove what is asked, and returns their names.
pub(crate) fn push_prove(
    plan: &mut Plan,
    asked: &Verification<'_>,
    trusted_root: Option<PathBuf>,
) -> Vec<String> {
    let mut names = Vec::new();
    for (i, artifact) in asked.artifacts.iter().enumerate() {
        let prove = Prove {
            attestation: asked.attestation.map(str::to_owned),
            trusted_root: trusted_root.clone(),
            ..Prove::of(artifact, asked.signer)
        };
        let step = prove.step(&numbered(i));
        names.push(step.name.clone());
        plan.push(step);
    }
    names
}
