//! `step job`: the Job that signs or verifies an image is written to a file.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::cluster::Cluster;
use crate::cluster::job_manifest::{JobTask, write_job};
use crate::plan::{Step, StepArgs, StepEvent, Word};
use crate::target::SignerArgs;
use crate::words;

/// The signing config of those who name no version of Rekor.
const SIGNING_CONFIG: &str = "signing_config.json";

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
    /// The signing config among the files that the Job is given.
    #[arg(long, value_name = "FILE", default_value = SIGNING_CONFIG)]
    pub(crate) signing_config: String,
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
        let mut job = Job {
            verb: JobVerb::Verify,
            name: name.to_owned(),
            image: image.to_owned(),
            out,
            account: "default".to_owned(),
            signing_config: SIGNING_CONFIG.to_owned(),
            attestation: None,
            signer: SignerArgs::default(),
        };
        match task {
            JobTask::Sign { account, config } => {
                (job.verb, job.account, job.signing_config) = (JobVerb::Sign, account, config);
            }
            JobTask::Verify {
                signer,
                attestation,
            } => (job.signer, job.attestation) = (signer, attestation),
        }
        job
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
        if self.signing_config != SIGNING_CONFIG {
            words.extend(words!["--signing-config", &self.signing_config]);
        }
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
                config: self.signing_config,
            },
            JobVerb::Verify => JobTask::Verify {
                signer: self.signer,
                attestation: self.attestation,
            },
        };
        write_job(&cluster.repo, &task, &self.name, &self.image, &self.out)
    }
}
