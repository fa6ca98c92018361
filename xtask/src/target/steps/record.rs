//! `step record`: a signature is remembered, and handed to whoever runs the plan.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::SigningTarget;
use crate::artifact::Signature;
use crate::entry::Version;
use crate::fail::broken;
use crate::plan::{StepArgs, StepEvent, Word};
use crate::signatures::{self, NewSignature};
use crate::words;

/// Remember a signature
#[derive(Debug, Clone, PartialEq, Args)]
pub(crate) struct Record {
    /// The bundle that cosign wrote.
    #[arg(long)]
    pub(crate) bundle: PathBuf,
    /// The log that recorded it.
    #[arg(long, value_enum)]
    pub(crate) rekor: Version,
    /// The image by digest.
    #[arg(long)]
    pub(crate) image: Option<Word>,
    /// The file.
    #[arg(long)]
    pub(crate) blob: Option<PathBuf>,
    /// The host under which the cluster's registry was reached.
    #[arg(long)]
    pub(crate) forwarded: Option<String>,
}

impl StepArgs for Record {
    const NAME: &'static str = "record";

    fn arguments(&self) -> Vec<Word> {
        let mut words = words!["--rekor", self.rekor.name()];
        words.extend(words!["--bundle", self.bundle.as_path()]);
        if let Some(image) = &self.image {
            words.extend(["--image".into(), image.clone()]);
        }
        if let Some(file) = &self.blob {
            words.extend(words!["--blob", file.as_path()]);
        }
        if let Some(host) = &self.forwarded {
            words.extend(words!["--forwarded", host]);
        }
        words
    }
}

impl Record {
    pub(crate) fn run(
        self,
        target: &dyn SigningTarget,
        _: &dyn Fn(StepEvent<'_>),
    ) -> Result<Signature> {
        let image = self.image.as_ref().map(Word::text).transpose()?;
        let is_image = image.is_some();
        let forwarded = self.forwarded.as_deref();
        let artifact = match (image, &self.blob) {
            (Some(image), _) => target.name_of_image(image, &self.bundle, forwarded)?,
            (None, Some(file)) => file.to_string_lossy().into_owned(),
            (None, None) => return Err(broken("neither an image nor a file was signed").into()),
        };
        signatures::remember(
            &target.dir(),
            NewSignature {
                bundle: &self.bundle,
                rekor: self.rekor,
                artifact: &artifact,
                image: is_image,
                shard: target.shard_of(self.rekor, &self.bundle)?,
            },
        )
    }
}
