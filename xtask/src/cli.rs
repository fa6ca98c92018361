//! The command line: what can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::entry::{Version, Versions};
use crate::target::{ClusterOptions, PreflightOptions, TargetKind};

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// Where Sigstore runs; remembered for the commands to come [env: WORKSHOP_ON] [default: local]
    #[arg(long, global = true, value_enum, value_name = "TARGET")]
    pub on: Option<TargetKind>,
    /// The state directory [env: WORKSHOP_STATE] [default: .workshop in the repository]
    #[arg(long, global = true, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// The context of kubectl that names the cluster [default: the current one, or minikube]
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// Print JSON: events of a plan one a line, answers as one document
    #[arg(long, global = true)]
    pub json: bool,
    /// Also print the commands and what they say
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Print results and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// A line of a plan that is done in this program.
#[derive(Debug, Parser)]
pub enum StepLine {
    /// The findings of `preflight` must all be good.
    Preflight(PreflightOptions),
    /// A step.
    Step {
        /// Which.
        #[command(subcommand)]
        step: StepCommand,
    },
}

/// Steps done in this program.
#[derive(Debug, Subcommand)]
pub enum StepCommand {
    /// Make the state directory
    Begin,
    /// Write settings and configuration
    Configure {
        /// The lowest port.
        #[arg(long)]
        port_base: u16,
        /// Which versions of Rekor run.
        #[arg(long, value_enum)]
        rekor: Versions,
        /// The number of the CA in use.
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
        fulcio: u16,
        /// The number of the timestamp authority's key in use.
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
        timestamp: u16,
    },
    /// Start a server, detached
    Launch {
        /// Its name.
        component: String,
        /// Its command line.
        #[arg(last = true, required = true)]
        words: Vec<String>,
    },
    /// Wait until a server answers
    Wait {
        /// Its name.
        component: String,
        /// `http://…` or `tcp://…`; on a cluster conditions, and its name a namespace
        address: String,
        /// For so many seconds.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
        within: u64,
    },
    /// Stop a server
    Halt {
        /// Its name.
        component: String,
    },
    /// Begin a new shard of a log
    Shard {
        /// `ctlog` or `rekor-v1`.
        log: String,
        /// The tree that Trillian made for it.
        #[arg(long)]
        tree: String,
    },
    /// Write the trusted root and the signing config
    Trust,
    /// Remember what was chosen for a cluster, and write the values that follow
    Choose {
        /// The lowest port of the forwards.
        #[arg(long)]
        port_base: u16,
        /// The rest.
        #[command(flatten)]
        options: ClusterOptions,
    },
    /// Make the passwords of Trillian's database, where there are none
    DatabaseSecret,
    /// Copy the public parts of Secrets to where images are signed
    CopySecrets,
    /// Fail where what follows would do harm
    Refuse {
        /// Why.
        what: Refusal,
    },
    /// Fetch an image into minikube, where that is possible
    Preload {
        /// Which.
        image: String,
    },
    /// Fetch every image that manifests and charts name into minikube
    FetchImages,
    /// Remove the Jobs of the release: they cannot be changed, only made again
    ClearJobs,
    /// Write a signing config with other addresses
    SigningConfig {
        /// Where Fulcio is.
        #[arg(long)]
        fulcio: String,
        /// Where Rekor is.
        #[arg(long)]
        rekor: String,
        /// The file it goes to.
        #[arg(long)]
        out: PathBuf,
    },
    /// Write a Job for an image
    Job {
        /// `sign` or `verify`.
        verb: JobVerb,
        /// Its name.
        #[arg(long)]
        name: String,
        /// The image.
        #[arg(long)]
        image: String,
        /// The file it goes to.
        #[arg(long)]
        out: PathBuf,
        /// The service account that signs.
        #[arg(long = "as", value_name = "ACCOUNT", default_value = "default")]
        account: String,
        /// Whose signature is expected.
        #[arg(long, default_value = "")]
        identity: String,
        /// Who must have vouched for that name.
        #[arg(long, default_value = "")]
        issuer: String,
    },
    /// Show what a Job prints until it ends
    Follow {
        /// Its name.
        job: String,
        /// Where the bundle goes that it prints.
        #[arg(long)]
        bundle: Option<PathBuf>,
    },
    /// Get an identity token, for Fulcio
    Token {
        /// The user.
        #[arg(long = "as", value_name = "USER")]
        user: String,
        /// The file it goes to, mode 0600.
        #[arg(long)]
        out: PathBuf,
    },
    /// Gather the pages of the book and the files that they name
    Pages {
        /// The directory they go to.
        #[arg(long)]
        output: PathBuf,
    },
    /// Delete a file
    Forget {
        /// Which.
        file: PathBuf,
    },
    /// Take the signatures of an image out of its registry
    Unsign {
        /// Which image.
        image: String,
        /// Leave those that only say that it was signed.
        #[arg(long)]
        attestations: bool,
    },
    /// Forget that a chapter was done
    Unlearn {
        /// Its name.
        chapter: String,
        /// And all that was done in the later ones.
        #[arg(long)]
        later: bool,
    },
    /// Remember a signature
    Record {
        /// Names the signing call and the place in it.
        #[arg(long)]
        id: String,
        /// The bundle that cosign wrote.
        #[arg(long)]
        bundle: PathBuf,
        /// The log that recorded it.
        #[arg(long, value_enum)]
        rekor: Version,
        /// The image by digest.
        #[arg(long)]
        image: Option<String>,
        /// The file.
        #[arg(long)]
        blob: Option<PathBuf>,
        /// The host under which the cluster's registry was reached.
        #[arg(long)]
        forwarded: Option<String>,
    },
}

/// Why a step of a plan refuses to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Refusal {
    /// A namespace of the workshop is somebody else's.
    ForeignNamespaces,
    /// The release of Sigstore is somebody else's.
    ForeignRelease,
    /// The cert-manager is somebody else's.
    ForeignCertManager,
    /// Somebody else uses the workshop's cert-manager.
    CertManagerInUse,
    /// The release is more than Fulcio and Trillian.
    WholeRelease,
}

/// What a Job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum JobVerb {
    /// It signs.
    Sign,
    /// It verifies.
    Verify,
}
