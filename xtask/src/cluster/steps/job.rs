//! `step job`: the Job that signs or verifies an image is written to a file.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::cluster::Cluster;
use crate::cluster::job_manifest::{JobTask, write_job};
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::target::SignerArgs;
use crate::words;

/// Write a Job for an image
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Job {
    /// `sign` or `verify`.
    pub(crate) verb: JobVerb,
    /// Its name.
    #[arg(long)]
    pub(crate) name: String,
    /// The image.
    #[arg(long)]
    pub(crate) image: String,
    /// The file it goes to.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// The service account that signs.
    #[arg(long = "as", value_name = "ACCOUNT", default_value = "default")]
    pub(crate) account: String,
    /// The type of the attestation that is expected.
    #[arg(long)]
    pub(crate) attestation: Option<String>,
    /// Whose signature is expected.
    #[command(flatten)]
    pub(crate) signer: SignerArgs,
}

/// What a Job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum JobVerb {
    /// It signs.
    Sign,
    /// It verifies.
    Verify,
}

impl JobVerb {
    /// As it is typed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            JobVerb::Sign => "sign",
            JobVerb::Verify => "verify",
        }
    }
}

impl Job {
    /// A Job for an image, which does this, under this name.
    pub(crate) fn of(task: JobTask, name: &str, image: &str, out: PathBuf) -> Job {
        let (verb, account, signer, attestation) = match task {
            JobTask::Sign { account } => (JobVerb::Sign, account, SignerArgs::default(), None),
            JobTask::Verify {
                signer,
                attestation,
            } => (JobVerb::Verify, "default".to_owned(), signer, attestation),
        };
        Job {
            verb,
            name: name.to_owned(),
            image: image.to_owned(),
            out,
            account,
            attestation,
            signer,
        }
    }

    /// The step that writes it, before every run: its name is new each time.
    pub(in crate::cluster) fn step(self, name: &str) -> Step {
        let title = format!(
            "write the Job that will {} {}",
            self.verb.name(),
            self.image
        );
        Step::new(name, title).again().xtask(self)
    }
}

impl StepArgs for Job {
    const NAME: &'static str = "job";

    fn arguments(&self) -> Vec<Word> {
        let mut words = words![
            self.verb.name(),
            "--name",
            &self.name,
            "--image",
            &self.image,
            "--out",
            self.out.as_path()
        ];
        words.extend(match self.verb {
            JobVerb::Sign => words!["--as", &self.account],
            JobVerb::Verify => self.signer.words(),
        });
        if let Some(kind) = &self.attestation {
            words.extend(words!["--attestation", kind]);
        }
        words
    }
}

impl Job {
    pub(crate) fn run(self, cluster: &Cluster, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        let task = match self.verb {
            JobVerb::Sign => JobTask::Sign {
                account: self.account,
            },
            JobVerb::Verify => JobTask::Verify {
                signer: self.signer,
                attestation: self.attestation,
            },
        };
        write_job(&cluster.repo, &task, &self.name, &self.image, &self.out)
    }
}
