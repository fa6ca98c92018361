//! What is signed or verified, as it is typed.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use crate::artifact::{self, Artifact, not_utf8};
use crate::fail::{BROKEN, Fail, NOT_SO, broken, not_so};
use crate::plan::{Outcome, Plan, numbered};
use crate::text::{printable, quote};
use crate::ui::Ui;

/// The largest list that is read from standard input, in bytes.
const LARGEST_LIST: u64 = 16 * 1024 * 1024;

/// What is signed or verified.
#[derive(Debug, Args)]
pub(crate) struct ArtifactArgs {
    /// Files, and images by tag or digest; - reads a list of them from standard input
    /// [default: the sample]
    #[arg(value_name = "FILE|IMAGE")]
    artifacts: Vec<OsString>,
    /// A file, whatever its name looks like
    #[arg(long, value_name = "FILE", conflicts_with = "artifacts")]
    blob: Option<PathBuf>,
    /// The bundle that holds the signature of the file [default: FILE.sigstore.json]
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// Of an index also what it lists: the image of each platform
    #[arg(long)]
    pub(crate) recursive: bool,
    /// How many are worked on at once
    #[arg(long, value_name = "N", default_value = "16", hide_default_value = false, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
}

/// From so many artifacts on one bar stands for all of them, and a line for each at the end.
const MANY: usize = 8;

/// What the words came to.
pub(crate) struct NamedArtifacts {
    /// Each once.
    pub(crate) artifacts: Vec<Artifact>,
    /// How many bundles were named beside the files that they are of.
    pub(crate) bundles: usize,
}

impl ArtifactArgs {
    /// What is to be signed: a bundle beside its file is none of it, so that `dist/*` can be
    /// signed again.
    pub(crate) fn to_sign(&self, sample: impl Fn() -> Result<String>) -> Result<NamedArtifacts> {
        let named = self.read(sample, |_| None)?;
        if named.artifacts.is_empty() {
            return Err(broken("only bundles of other files are named")
                .hint("sign one all the same: --blob FILE")
                .into());
        }
        for artifact in &named.artifacts {
            artifact.require_place_for_bundle()?;
        }
        artifact::require_own_bundles(&named.artifacts)?;
        Ok(named)
    }

    /// What is to be verified: a bundle stands for its file. `attested`: an attestation is
    /// asked for.
    pub(crate) fn to_verify(
        &self,
        attested: bool,
        sample: impl Fn() -> Result<String>,
    ) -> Result<Vec<Artifact>> {
        let named = self.read(sample, Some)?;
        if let Some(bundle) = self.bundle.as_deref().filter(|bundle| !bundle.is_file()) {
            return Err(broken(format!("there is no file {}", bundle.display())).into());
        }
        // Among several it is one of those that are refused.
        if let [artifact] = &*named.artifacts {
            artifact.require_statement(attested)?;
        }
        Ok(named.artifacts)
    }

    /// Runs so many steps of a plan at once as were asked for.
    pub(crate) fn pace(&self, plan: &mut Plan, artifacts: usize) {
        plan.at_once = usize::from(self.jobs);
        plan.many = artifacts > MANY;
    }

    /// The words that name the same, where they are few enough to be typed again.
    pub(crate) fn typed(&self) -> Option<String> {
        let words = &self.artifacts;
        let few = (1..=MANY).contains(&words.len()) && words.iter().all(|word| word != "-");
        let recursive = self.recursive.then(|| "--recursive".to_owned());
        few.then(|| {
            let words = words.iter().map(|word| quote(&word.to_string_lossy()));
            words.chain(recursive).collect::<Vec<_>>().join(" ")
        })
    }

    fn read(
        &self,
        sample: impl Fn() -> Result<String>,
        of_bundle: impl Fn(Artifact) -> Option<Artifact>,
    ) -> Result<NamedArtifacts> {
        let bundle = self.bundle.as_deref();
        let mut named = NamedArtifacts {
            artifacts: Vec::new(),
            bundles: 0,
        };
        if let Some(file) = &self.blob {
            named.artifacts.push(Artifact::file(file, bundle)?);
            return Ok(named);
        }
        if let (Some(_), [file]) = (bundle, &*self.artifacts) {
            named
                .artifacts
                .push(Artifact::file(Path::new(file), bundle)?);
            return Ok(named);
        }
        if bundle.is_some() {
            return Err(broken("--bundle is for one file").into());
        }
        if self.artifacts.is_empty() {
            named.artifacts.push(Artifact::Image(sample()?));
        }
        for word in self.words()? {
            let artifact = match Artifact::of_bundle(&word)? {
                Some(artifact) => {
                    named.bundles += 1;
                    of_bundle(artifact)
                }
                None => Some(Artifact::named(&word, &sample)?),
            };
            let artifact = artifact.filter(|artifact| !named.artifacts.contains(artifact));
            named.artifacts.extend(artifact);
        }
        Ok(named)
    }

    /// The words, with those of standard input in the place of `-`: one a line.
    fn words(&self) -> Result<Vec<String>> {
        let mut words = Vec::new();
        let mut read = false;
        for word in &self.artifacts {
            if word != "-" {
                words.push(word.to_str().ok_or_else(|| not_utf8(word))?.to_owned());
                continue;
            }
            if std::mem::replace(&mut read, true) {
                return Err(broken("standard input can be read once only").into());
            }
            let mut list = Vec::new();
            let input = std::io::stdin().take(LARGEST_LIST + 1);
            std::io::BufReader::new(input)
                .read_to_end(&mut list)
                .context("read the list on standard input")?;
            if list.len() as u64 > LARGEST_LIST {
                return Err(broken("the list on standard input is too long").into());
            }
            let before = words.len();
            for line in list.split(|byte| *byte == b'\n') {
                let name = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line));
                let name = name.map_err(|_| not_utf8(OsStr::from_bytes(line)))?;
                words.extend((!name.is_empty()).then(|| name.to_owned()));
            }
            if words.len() == before {
                return Err(broken("the list on standard input is empty").into());
            }
        }
        Ok(words)
    }
}

/// What became of several artifacts: those whose step of this name did not succeed are
/// named, each with its reason. `done` is the participle of the verb: `signed`.
///
/// # Errors
/// Where there is one artifact, or all came to nothing because of one step: the failure of
/// the first step.
pub(crate) fn told_partly(
    ui: &Ui,
    artifacts: &[Artifact],
    step: &str,
    done: &str,
    outcome: &Outcome,
) -> Result<Option<Fail>, Fail> {
    let name = |i: usize| format!("{step}{}", numbered(i));
    let all = artifacts.iter().enumerate();
    let left: Vec<_> = all.filter(|(i, _)| !outcome.is_done(&name(*i))).collect();
    let Some((first, _)) = left.first() else {
        return Ok(None);
    };
    let common = outcome.failure_at(*first).or(outcome.first_failure());
    let of_own = |(i, _): &(usize, &Artifact)| outcome.failure_at(*i);
    if artifacts.len() == 1 || !left.iter().all(|one| of_own(one).is_some()) {
        return Err(common
            .cloned()
            .unwrap_or_else(|| broken("a step did not run")));
    }
    for (i, artifact) in &left {
        let why = outcome.failure_at(*i).map(|fail| &*fail.what);
        let name = artifact.shown();
        let why = why.unwrap_or_default();
        ui.note(printable(&format!("not {done}: {name}: {why}")));
    }
    let (n, all) = (left.len(), artifacts.len());
    let be = if n == 1 { "is" } else { "are" };
    // Where nothing came of all and one could not even be looked at, that is no answer.
    let mut own = left.iter().filter_map(of_own);
    let exit = match n == all && own.any(|fail| fail.exit == BROKEN) {
        true => BROKEN,
        false => NOT_SO,
    };
    Ok(Some(Fail {
        exit,
        ..not_so(format!("{n} of {all} {be} not {done}"))
    }))
}
