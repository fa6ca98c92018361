//! The commands: a file each, which holds the arguments, the answer and the work of one,
//! and a line each in the list below.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::app::{Answer, App, Group, grouped, with_components};
use crate::cli::Global;
use crate::exec::{interrupt, without_relative_entries};
use crate::fail::{BROKEN, Fail};
use crate::target::TargetKind;
use crate::ui::{self, Style, Ui};

/// Makes of groups of commands, each `Name(module::NameCommand)`, their modules, what can be typed,
/// and what runs it. `--help` lists them in the order of the list. A command that is about one
/// target says so, `on Minikube`: then that is chosen where nothing else is named.
macro_rules! commands {
    ($($group:literal { $($name:ident($module:ident::$command:ident) $(on $target:ident)?,)* })*) => {
        $($(mod $module;)*)*

        /// The groups of the list, and how many commands each has.
        const GROUPS: &[Group] = &[$(($group, [$(stringify!($name)),*].len()),)*];

        /// What to do.
        #[derive(Debug, Subcommand)]
        pub(crate) enum AnyCommand {
            $($($name($module::$command),)*)*
        }

        impl AnyCommand {
            pub(crate) fn run(self, app: &App) -> Result<Answer> {
                match self {
                    $($(AnyCommand::$name(command) => command.run(app),)*)*
                }
            }

            /// The target that the command is about, where it is about one.
            fn target(&self) -> Option<TargetKind> {
                match self {
                    $($($(AnyCommand::$name(_) => Some(TargetKind::$target),)?)*)*
                    _ => None,
                }
            }
        }
    };
}

// `cargo fmt` does not see these files: cargo fmt -- xtask/src/commands/*.rs
commands! {
    "Every day" {
        Sign(sign::SignCommand),
        Verify(verify::VerifyCommand),
        InspectRekor(inspect_rekor::InspectRekorCommand),
        InspectCertificate(inspect_certificate::InspectCertificateCommand),
        Report(report::ReportCommand),
        Log(log::LogCommand),
        Env(env::EnvCommand),
        Shell(shell::ShellCommand),
        Token(token::TokenCommand),
    }
    "The workshop" {
        Tour(tour::TourCommand),
        Chapters(chapters::ChaptersCommand),
        Next(next::NextCommand),
        Read(read::ReadCommand),
        Check(check::CheckCommand),
        Hint(hint::HintCommand),
        Reset(reset::ResetCommand),
        Lab(lab::LabCommand),
        Book(book::BookCommand),
    }
    "The servers" {
        Preflight(preflight::PreflightCommand),
        Prefetch(prefetch::PrefetchCommand),
        Install(install::InstallCommand),
        Start(start::StartCommand),
        Stop(stop::StopCommand),
        Restart(restart::RestartCommand),
        Status(status::StatusCommand),
        Logs(logs::LogsCommand),
        Doctor(doctor::DoctorCommand),
        Rotate(rotate::RotateCommand),
        Uninstall(uninstall::UninstallCommand),
    }
    "Steps of an install on a cluster" {
        Minikube(minikube::MinikubeCommand) on Minikube,
        Ingress(ingress::IngressCommand),
        OidcReviewer(oidc_reviewer::OidcReviewerCommand),
        CertManager(cert_manager::CertManagerCommand),
        Issuer(issuer::IssuerCommand),
        Scaffold(scaffold::ScaffoldCommand),
        CopySecrets(copy_secrets::CopySecretsCommand),
        Registry(registry::RegistryCommand),
        Trust(trust::TrustCommand),
    }
    "For shells and scripts" {
        Completions(completions::CompletionsCommand),
        Step(step::StepCommand),
    }
}

/// Runs every step of the private Sigstore workshop.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    max_term_width = 100,
    after_help = "Examples:
  cargo xtask tour                   see all of it once, explained
  cargo xtask next                   learn it, chapter by chapter
  cargo xtask sign README.md         sign a file as alice
  cargo xtask verify README.md       verify who signed it
  cargo xtask --on minikube install  the same on Kubernetes"
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: AnyCommand,
}

/// Reads the command line, runs the command and prints its answer.
pub fn main() -> ExitCode {
    let matches = match with_components(grouped(Cli::command(), GROUPS)).try_get_matches() {
        Ok(matches) => matches,
        Err(answer) => return ExitCode::from(print_by_parser(&answer)),
    };
    let name = matches.subcommand_name().unwrap_or_default().to_owned();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(answer) => return ExitCode::from(print_by_parser(&answer)),
    };
    let Global {
        json,
        verbose,
        quiet,
        ..
    } = cli.global;
    let ui = Ui::new(Style {
        json,
        verbose,
        quiet,
        commands: verbose,
        brief: false,
    });
    let ran = without_relative_entries().and_then(|()| run(cli, &ui));
    let exit = match ran {
        Ok(answer) => answer.print(&name, &ui),
        Err(error) => {
            let mut fail = Fail::from_error(&error);
            fail.exit = interrupt::exit_status().unwrap_or(fail.exit);
            ui.result(&name, Err(&fail));
            fail.exit
        }
    };
    let exit = ui.lost_output().map_or(exit, |fail| {
        ui.error(&fail);
        interrupt::exit_status().unwrap_or(fail.exit)
    });
    ExitCode::from(exit)
}

/// Prints what the parser answers by itself, help or what is wrong with the command line,
/// and returns the exit status.
fn print_by_parser(answer: &clap::Error) -> u8 {
    let printed = answer.print().and_then(|()| std::io::stdout().flush());
    match printed.err().as_ref().and_then(ui::unless_closed) {
        Some(fail) => {
            Ui::new(Style::default()).error(&fail);
            fail.exit
        }
        None => u8::try_from(answer.exit_code()).unwrap_or(BROKEN),
    }
}

fn run(Cli { global, command }: Cli, ui: &Ui) -> Result<Answer> {
    interrupt::prepare()?;
    let verbose = global.verbose;
    let app = App::open(
        &global,
        global.on.or(command.target()),
        ui.restyled(ui.style()),
    )?;
    // A step is a part of another command, which has said it.
    // And what nobody chose nobody has to be told of.
    let is_told = verbose || !app.chosen.is_default;
    if is_told && !matches!(command, AnyCommand::Step(_)) {
        let (name, why) = (app.chosen.kind.name(), app.chosen.why);
        app.ui.note(format!("on {name} ({why})"));
    }
    let answer = command.run(&app)?;
    if let Some(milestone) = &answer.milestone {
        app.remember(milestone);
    }
    Ok(answer)
}
