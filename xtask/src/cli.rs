//! The command line: what can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::entry::Version;
use crate::target::{ClusterOptions, InstallOptions, PreflightOptions, TargetKind};

/// Runs every step of the private Sigstore workshop.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    max_term_width = 100
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

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

/// Options of every command that runs a plan.
#[derive(Debug, Clone, Default, Args)]
pub struct PlanOptions {
    /// Print the commands for a shell and run none
    #[arg(long)]
    pub dry_run: bool,
    /// Run the commands of this step, done or not, and of all that need it
    #[arg(long, value_name = "STEP")]
    pub from: Option<String>,
}

/// A part of an install on a cluster.
#[derive(Debug, Clone, Args)]
pub struct PartOptions {
    /// Also do first what it needs
    #[arg(long)]
    pub with_needs: bool,
    /// What a cluster is given.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// How to run the plan.
    #[command(flatten)]
    pub plan: PlanOptions,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Install, sign, verify and inspect, with each command shown and explained
    Tour,
    /// Check that the machine has what the target needs, all findings at once
    Preflight {
        /// For which installation.
        #[command(flatten)]
        options: PreflightOptions,
    },
    /// Fetch and build what the target needs, so that later no network is needed
    Prefetch {
        /// What a cluster is given.
        #[command(flatten)]
        options: ClusterOptions,
        /// How to run the plan.
        #[command(flatten)]
        plan: PlanOptions,
    },
    /// Build, configure and start a private Sigstore
    Install {
        /// What to install.
        #[command(flatten)]
        options: InstallOptions,
        /// How to run the plan.
        #[command(flatten)]
        plan: PlanOptions,
    },
    /// Start minikube with an issuer that Fulcio believes, and choose it for the commands to come
    Minikube(PartOptions),
    /// Enable minikube's ingress controller and show Fulcio and Rekor through it
    Ingress(PartOptions),
    /// Let everybody read the cluster's OIDC discovery document and its public keys
    OidcReviewer(PartOptions),
    /// Install cert-manager
    CertManager(PartOptions),
    /// Add an issuer of self-signed certificates
    Issuer(PartOptions),
    /// Install Fulcio, Rekor, the CT log and Trillian with the chart sigstore/scaffold
    Scaffold(PartOptions),
    /// Copy the public keys of Fulcio, Rekor and the CT log to where images are signed
    CopySecrets(PartOptions),
    /// Start a registry with TLS inside the cluster
    Registry(PartOptions),
    /// Write the trusted root and the signing config, as files and for the Jobs
    Trust(PartOptions),
    /// Look for every known problem, all findings at once, with what to type
    Doctor,
    /// Start what does not run; on a cluster: the forwards from this machine
    Start {
        /// The components [default: all]
        components: Vec<String>,
        /// How to run the plan.
        #[command(flatten)]
        plan: PlanOptions,
    },
    /// Stop what runs
    Stop {
        /// The components [default: all]
        components: Vec<String>,
        /// How to run the plan.
        #[command(flatten)]
        plan: PlanOptions,
    },
    /// Stop and start
    Restart {
        /// The components [default: all]
        components: Vec<String>,
        /// How to run the plan.
        #[command(flatten)]
        plan: PlanOptions,
    },
    /// Show each component; exit status 1 where one is down
    Status,
    /// Show what the components print
    Logs {
        /// The component [default: the last lines of all]
        component: Option<String>,
        /// Go on as it grows
        #[arg(short, long)]
        follow: bool,
        /// How many of the last lines [default: 100 of one, 5 of each]
        #[arg(short = 'n', long, value_name = "N")]
        lines: Option<usize>,
    },
    /// Sign images or a file with an identity instead of a key
    Sign(Sign),
    /// Verify who signed images or a file; exit status 1 where the answer is no
    Verify(Verify),
    /// Show who signed what and when, and prove every link from the artifact to the log
    InspectRekor {
        /// Which signature.
        #[command(flatten)]
        evidence: EvidenceOptions,
        /// Print what the server said, as JSON
        #[arg(long)]
        raw: bool,
    },
    /// Show a leaf certificate in plain words, and prove who issued it
    InspectCertificate {
        /// Whose certificate.
        #[command(flatten)]
        evidence: EvidenceOptions,
        /// Print what openssl says of it
        #[arg(long)]
        text: bool,
    },
    /// Draw the whole ceremony, from the token to the checkpoint, as a page to look at
    Report {
        /// Of which signature.
        #[command(flatten)]
        evidence: EvidenceOptions,
        /// The file it goes to
        #[arg(short, long, value_name = "FILE", default_value = "report.html")]
        output: PathBuf,
    },
    /// Attack a Sigstore made for that, and see which check catches it
    Lab {
        /// Which attack [default: list them]
        name: Option<String>,
        /// Do not wait for Enter
        #[arg(long)]
        no_pause: bool,
        /// The lowest of the ports of its Sigstore
        #[arg(long, value_name = "N", default_value_t = 20_800, value_parser = clap::value_parser!(u16).range(1024..=65500))]
        port_base: u16,
    },
    /// List the chapters of the workshop, how far each is, and where you are
    Chapters,
    /// Say what to do now
    Next,
    /// Look at the live system whether a chapter is done; exit status 1 where it is not
    Check {
        /// Its number or name [default: the first that is not done]
        chapter: Option<String>,
    },
    /// Give the next hint about what is missing, the answer last
    Hint {
        /// About which chapter, by number or name [default: the first that is not done]
        chapter: Option<String>,
    },
    /// Go back to before a chapter, as far as there is a way back
    Reset {
        /// Its number or name
        chapter: String,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
        /// How to run the plan.
        #[command(flatten)]
        plan: PlanOptions,
    },
    /// Make a book of the pages in docs/, to be read in a browser
    Book {
        /// Show it on this machine, until Ctrl-C
        #[arg(long)]
        serve: bool,
        /// The port to show it on
        #[arg(long, value_name = "N", requires = "serve", default_value_t = 17_890, value_parser = clap::value_parser!(u16).range(1024..=65535))]
        port: u16,
        /// The directory it goes to [default: docs/book in the repository]
        #[arg(short, long, value_name = "DIR")]
        output: Option<PathBuf>,
        /// How to run the plan.
        #[command(flatten)]
        plan: PlanOptions,
    },
    /// Print the variables and flags with which other clients use this Sigstore
    Env {
        /// For which reader
        #[arg(long, value_enum, default_value_t = EnvFormat::Sh)]
        format: EnvFormat,
    },
    /// Stop everything and remove what install made
    Uninstall {
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
        /// Keep the built servers
        #[arg(long)]
        keep_tools: bool,
        /// Delete this profile of minikube instead, with all that is in it
        #[arg(long, value_name = "PROFILE")]
        delete_minikube: Option<String>,
        /// How to run the plan.
        #[command(flatten)]
        plan: PlanOptions,
    },
    /// Measure this installation against bare commands, as ratios
    Bench {
        /// Also build the servers and this program from nothing (many minutes)
        #[arg(long)]
        cold: bool,
        /// How often to measure each
        #[arg(short = 'n', long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
        runs: u16,
    },
    /// One step of a plan: what `--dry-run` prints for steps done in this program
    #[command(hide = true, disable_help_flag = true)]
    Step {
        /// Which, and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
}

/// What to sign, as whom.
#[derive(Debug, Args)]
pub struct Sign {
    /// Images, by tag or digest; a tag is looked up and the digest is signed [default: the sample]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
    /// Sign this file instead
    #[arg(long, value_name = "FILE", conflicts_with = "images")]
    pub blob: Option<PathBuf>,
    /// Where the signature of the file goes [default: FILE.sigstore.json]
    #[arg(long, value_name = "FILE", requires = "blob")]
    pub bundle: Option<PathBuf>,
    /// The user who signs, on a cluster a service account [default: alice, on a cluster default]
    #[arg(long = "as", value_name = "USER")]
    pub user: Option<String>,
    /// On a cluster: sign from this machine instead of a Job
    #[arg(long)]
    pub from_host: bool,
    /// The log that records it [default: the newest that runs]
    #[arg(long, value_enum)]
    pub rekor: Option<Version>,
    /// How to run the plan.
    #[command(flatten)]
    pub plan: PlanOptions,
}

/// What to verify, against which policy.
#[derive(Debug, Args)]
pub struct Verify {
    /// Images, by tag or digest [default: the sample]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
    /// Verify this file instead
    #[arg(long, value_name = "FILE", conflicts_with = "images")]
    pub blob: Option<PathBuf>,
    /// The bundle that holds the signature of the file [default: FILE.sigstore.json]
    #[arg(long, value_name = "FILE", requires = "blob")]
    pub bundle: Option<PathBuf>,
    /// On a cluster: verify from this machine instead of a Job
    #[arg(long)]
    pub from_host: bool,
    /// Who must have signed [default: alice@example.com, on a cluster the service account default]
    #[arg(long, value_name = "NAME")]
    pub identity: Option<String>,
    /// Who must have vouched for that name [default: the workshop's Dex, or the cluster's issuer]
    #[arg(long, value_name = "URL")]
    pub issuer: Option<String>,
    /// How to run the plan.
    #[command(flatten)]
    pub plan: PlanOptions,
}

/// Which signature is looked at, and whose word counts.
#[derive(Debug, Default, Args)]
pub struct EvidenceOptions {
    /// The signatures of this image [default: the last signature made here]
    #[arg(value_name = "IMAGE", conflicts_with_all = ["log_index", "uuid", "rekor", "bundle", "blob"])]
    pub image: Option<String>,
    /// The entry with this index in the log
    #[arg(long, value_name = "N", conflicts_with = "uuid")]
    pub log_index: Option<u64>,
    /// The entry with the id that Rekor v1 gave it
    #[arg(long, value_name = "ID")]
    pub uuid: Option<String>,
    /// Of this log [default: the newest that runs; v1 for a UUID]
    #[arg(long, value_enum)]
    pub rekor: Option<Version>,
    /// These bundles, without asking any server; - is standard input
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["log_index", "uuid", "rekor"])]
    pub bundle: Vec<PathBuf>,
    /// The file that must have been signed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["log_index", "uuid"])]
    pub blob: Option<PathBuf>,
    /// Whose word counts: a trusted root [default: that of this installation]
    #[arg(long, value_name = "FILE")]
    pub trusted_root: Option<PathBuf>,
    /// Who must have signed
    #[arg(long, value_name = "NAME", conflicts_with = "identity_regexp")]
    pub identity: Option<String>,
    /// The same as a regular expression that must be found in the name
    #[arg(long, value_name = "REGEXP")]
    pub identity_regexp: Option<String>,
    /// Who must have vouched for that name
    #[arg(long, value_name = "URL", conflicts_with = "issuer_regexp")]
    pub issuer: Option<String>,
    /// The same as a regular expression that must be found in the URL
    #[arg(long, value_name = "REGEXP")]
    pub issuer_regexp: Option<String>,
}

/// Who reads the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EnvFormat {
    /// A POSIX shell: eval "$(cargo xtask env)"
    Sh,
    /// The fish shell: cargo xtask env --format fish | source
    Fish,
    /// A program
    Json,
    /// A GitHub workflow: cargo xtask env --format github >>"$GITHUB_ENV"
    Github,
}
