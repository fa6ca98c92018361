//! The commands, one file each, and what they share.

mod bench;
mod book;
mod chapters;
mod doctor;
mod env;
mod evidence;
mod inspect;
mod install;
mod lab;
mod logs;
mod part;
mod prefetch;
mod preflight;
mod report;
mod sign;
mod status;
mod step;
mod tour;
mod uninstall;
mod verify;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::artifact::Artifact;
use crate::cli::{Cli, Command, Global, PartOptions, PlanOptions};
use crate::cluster::Cluster;
use crate::exec;
use crate::exec::interrupt;
use crate::fail::{Fail, broken};
use crate::local::Local;
use crate::plan::{End, Outcome, Plan, StepRunner, run, shell};
use crate::state::{self, State};
use crate::target::{InstallStage, Target, TargetKind};
use crate::ui::{self, Style, Ui};
use crate::walkthrough::progress::{self, Deed};

/// What a command works with.
pub struct App {
    /// Where it prints.
    pub ui: Ui,
    /// The repository.
    pub repo: PathBuf,
    /// The state directory.
    pub state: State,
    /// The target, and why it is that one.
    pub on: (TargetKind, &'static str),
    /// The options that lead another `cargo xtask` to the same target and state.
    pub globals: Vec<String>,
    /// Whether `--on` was typed.
    named: bool,
    /// The context of kubectl that was typed.
    context: Option<String>,
    /// The options that lead another `cargo xtask` to the same state.
    lead: Vec<String>,
}

/// What a command that runs a plan came to.
pub enum Ran {
    /// It was printed only.
    Dry,
    /// It ran to its end.
    Done(Outcome),
}

/// Runs a command and returns its exit status.
pub fn run(cli: Cli) -> u8 {
    let Global {
        json,
        verbose,
        quiet,
        ..
    } = cli.global;
    let style = Style {
        json,
        verbose,
        quiet,
        commands: verbose,
    };
    let name = name(&cli.command);
    let ended = interrupt::prepare()
        .and_then(|()| {
            // This one starts a minikube, and chooses it for the commands to come.
            let minikube =
                matches!(cli.command, Command::Minikube(_)).then_some(TargetKind::Minikube);
            let on = cli.global.on.or(minikube);
            App::new(
                &Global {
                    on,
                    ..cli.global.clone()
                },
                Ui::new(style),
            )
        })
        .and_then(|app| app.command(cli.command));
    let ui = Ui::new(style);
    match ended {
        Ok(Some(result)) => {
            ui.result(name, Ok(result));
            0
        }
        Ok(None) => 0,
        Err(error) => {
            let mut fail = Fail::from_error(&error);
            fail.exit = interrupt::exit_status().unwrap_or(fail.exit);
            ui.result(name, Err(&fail));
            fail.exit
        }
    }
}

fn name(command: &Command) -> &'static str {
    match command {
        Command::Tour => "tour",
        Command::Preflight { .. } => "preflight",
        Command::Prefetch { .. } => "prefetch",
        Command::Install { .. } => "install",
        Command::Doctor => "doctor",
        Command::Start { .. } => "start",
        Command::Stop { .. } => "stop",
        Command::Restart { .. } => "restart",
        Command::Status => "status",
        Command::Logs { .. } => "logs",
        Command::Sign(_) => "sign",
        Command::Verify(_) => "verify",
        Command::InspectRekor { .. } => "inspect-rekor",
        Command::InspectCertificate { .. } => "inspect-certificate",
        Command::Report { .. } => "report",
        Command::Lab { .. } => "lab",
        Command::Book { .. } => "book",
        Command::Chapters => "chapters",
        Command::Next => "next",
        Command::Check { .. } => "check",
        Command::Hint { .. } => "hint",
        Command::Reset { .. } => "reset",
        Command::Env { .. } => "env",
        Command::Uninstall { .. } => "uninstall",
        Command::Bench { .. } => "bench",
        Command::Step { .. } => "step",
        other => part(other).map_or("", |(part, _)| part.name()),
    }
}

/// The part of an install that a command is.
fn part(command: &Command) -> Option<(InstallStage, &PartOptions)> {
    Some(match command {
        Command::Minikube(options) => (InstallStage::Minikube, options),
        Command::Ingress(options) => (InstallStage::Ingress, options),
        Command::OidcReviewer(options) => (InstallStage::OidcReviewer, options),
        Command::CertManager(options) => (InstallStage::CertManager, options),
        Command::Issuer(options) => (InstallStage::Issuer, options),
        Command::Scaffold(options) => (InstallStage::Scaffold, options),
        Command::CopySecrets(options) => (InstallStage::CopySecrets, options),
        Command::Registry(options) => (InstallStage::Registry, options),
        Command::Trust(options) => (InstallStage::Trust, options),
        _ => return None,
    })
}

impl App {
    fn new(global: &Global, ui: Ui) -> Result<App> {
        let repo = repository()?;
        let from_env = std::env::var_os("WORKSHOP_STATE")
            .filter(|dir| !dir.is_empty())
            .map(PathBuf::from);
        let root = match global.state.clone().or(from_env) {
            Some(dir) => std::path::absolute(dir).context("find the state directory")?,
            None => repo.join(".workshop"),
        };
        // Commands are text, and so is JSON: a path that is none would be another.
        for path in [&root, &repo] {
            if path.to_str().is_none() {
                return Err(broken(format!("the path {} is not UTF-8", path.display())).into());
            }
        }
        let default = root == repo.join(".workshop");
        let state = State::open(root)?;
        let on = choose(global.on, &state)?;
        if on.0 == TargetKind::Local && global.context.is_some() {
            return Err(broken("--context names a cluster, and the target is local")
                .hint("name the target as well: --on cluster")
                .into());
        }
        let mut globals = vec!["--on".to_owned(), on.0.name().to_owned()];
        let mut lead = Vec::new();
        if !default {
            let root = state.root().to_string_lossy().into_owned();
            lead.extend(["--state".to_owned(), root]);
        }
        globals.extend(lead.clone());
        ui::lead_to(&[], &lead);
        // What is not remembered has to be typed again.
        let remembered = choose_remembered(&state)?.map_or(TargetKind::Local, |(on, _)| on);
        if global.on.is_some() && on.0 != remembered {
            let on = ["--on".to_owned(), on.0.name().to_owned()];
            let context = global.context.iter();
            let context = context.flat_map(|name| ["--context".to_owned(), name.clone()]);
            ui::lead_to(&[on.to_vec(), context.collect()].concat(), &lead);
        }
        Ok(App {
            ui,
            repo,
            state,
            on,
            globals,
            named: global.on.is_some(),
            context: global.context.clone(),
            lead,
        })
    }

    fn command(&self, command: Command) -> Result<Option<Value>> {
        if let Command::Step { words } = &command {
            return step::run(self, words);
        }
        self.ui
            .note(format!("on {} ({})", self.on.0.name(), self.on.1));
        let deed = Deed::of(&command);
        let ended = self.dispatch(command);
        if let Some(deed) = deed {
            let exit = match &ended {
                Ok(_) => 0,
                Err(error) => Fail::from_error(error).exit,
            };
            self.remember(deed, exit);
        }
        ended
    }

    /// Remembers what a command did for the chapters, where there is a state to
    /// remember it in. Where that fails, the command has done its work all the same.
    fn remember(&self, deed: Deed, exit: u8) {
        if !self.state.path("version").exists() {
            return;
        }
        // A copy of a bundle is as little another client's; of one that cannot be read
        // again, as on standard input, nobody knows.
        let made_here = |file: &Path| {
            let all = self.target().and_then(|target| target.signatures());
            let (Ok(all), Ok(text)) = (all, std::fs::read(file)) else {
                return true;
            };
            all.iter()
                .any(|made| std::fs::read(&made.bundle).is_ok_and(|other| other == text))
        };
        let Some(deed) = deed.name(exit, made_here) else {
            return;
        };
        if let Err(error) = progress::remember(&self.state, self.on.0, deed) {
            let fail = Fail::from_error(&error);
            self.ui
                .note(format!("not remembered for the chapters: {}", fail.what));
        }
    }

    /// Runs a command of the same target and state.
    fn dispatch(&self, command: Command) -> Result<Option<Value>> {
        match command {
            Command::Tour => tour::run(self),
            Command::Preflight { options } => preflight::run(self, &options),
            Command::Prefetch { options, plan } => prefetch::run(self, &options, &plan),
            Command::Install { options, plan } => install::run(self, &options, &plan),
            Command::Start { components, plan } => install::start(self, &components, &plan),
            Command::Stop { components, plan } => install::stop(self, &components, &plan),
            Command::Restart { components, plan } => install::restart(self, &components, &plan),
            Command::Status => status::run(self),
            Command::Logs {
                component,
                follow,
                lines,
            } => logs::run(self, component.as_deref(), follow, lines),
            Command::Sign(options) => sign::run(self, &options),
            Command::Verify(options) => verify::run(self, &options),
            Command::InspectRekor { evidence, raw } => inspect::rekor(self, &evidence, raw),
            Command::InspectCertificate { evidence, text } => {
                inspect::certificate(self, &evidence, text)
            }
            Command::Report { evidence, output } => report::run(self, &evidence, &output),
            Command::Lab {
                name,
                no_pause,
                port_base,
            } => lab::run(self, name.as_deref(), !no_pause, port_base),
            Command::Book {
                serve,
                port,
                output,
                plan,
            } => book::run(self, serve.then_some(port), output.as_deref(), &plan),
            Command::Chapters => chapters::list(self),
            Command::Next => chapters::next(self),
            Command::Check { chapter } => chapters::check(self, chapter.as_deref()),
            Command::Hint { chapter } => chapters::hint(self, chapter.as_deref()),
            Command::Reset { chapter, yes, plan } => chapters::reset(self, &chapter, yes, &plan),
            Command::Env { format } => env::run(self, format),
            Command::Uninstall {
                yes,
                keep_tools,
                delete_minikube,
                plan,
            } => uninstall::run(self, yes, keep_tools, delete_minikube.as_deref(), &plan),
            Command::Bench { cold, runs } => bench::run(self, cold, runs),
            Command::Doctor => doctor::run(self),
            Command::Step { .. } => Ok(None),
            other => match part(&other) {
                Some((part, options)) => part::run(self, part, options),
                None => Ok(None),
            },
        }
    }

    /// The chosen target.
    ///
    /// # Errors
    /// Where its state is damaged.
    pub fn target(&self) -> Result<Box<dyn Target>> {
        match self.on.0 {
            TargetKind::Local => Ok(Box::new(self.local()?)),
            TargetKind::Minikube | TargetKind::Cluster => Ok(Box::new(self.cluster()?)),
        }
    }

    /// The chosen target, to be removed.
    ///
    /// # Errors
    /// Where the repository is damaged.
    pub fn target_to_remove(&self) -> Result<Box<dyn Target>> {
        match self.on.0 {
            TargetKind::Local => Ok(Box::new(self.local_to_remove()?)),
            TargetKind::Minikube | TargetKind::Cluster => Ok(Box::new(self.cluster()?)),
        }
    }

    /// The same with a fresh way to print: the tour shows more.
    fn clone_without_ui(&self) -> App {
        App {
            ui: Ui::new(self.ui.style()),
            repo: self.repo.clone(),
            state: self.state.clone(),
            on: self.on,
            globals: self.globals.clone(),
            named: self.named,
            context: self.context.clone(),
            lead: self.lead.clone(),
        }
    }

    fn local_to_remove(&self) -> Result<Local> {
        Local::open_to_remove(&self.repo, &self.state, self.globals.clone())
    }

    fn cluster(&self) -> Result<Cluster> {
        let context = self.context.as_deref();
        Cluster::open(&self.repo, &self.state, self.on.0, context, &self.globals)
    }

    fn local(&self) -> Result<Local> {
        Local::open(&self.repo, &self.state, self.globals.clone())
    }

    /// Runs a plan, or prints it where it is to run dry. A target that `--on` named
    /// is remembered by a run.
    ///
    /// # Errors
    /// The first failure of a step.
    pub fn execute(
        &self,
        runner: &dyn StepRunner,
        plan: &Plan,
        options: &PlanOptions,
    ) -> Result<Ran> {
        self.execute_some(runner, plan, vec![true; plan.steps.len()], options)
    }

    /// The same for some of its steps.
    ///
    /// # Errors
    /// As [`App::execute`].
    pub fn execute_some(
        &self,
        runner: &dyn StepRunner,
        plan: &Plan,
        mut chosen: Vec<bool>,
        options: &PlanOptions,
    ) -> Result<Ran> {
        if let Some(step) = &options.from {
            let from = plan.from_step(step)?;
            chosen
                .iter_mut()
                .zip(from)
                .for_each(|(chosen, from)| *chosen &= from);
        }
        if options.dry_run {
            self.print(plan, &chosen);
            return Ok(Ran::Dry);
        }
        let made = makes_state(&plan.command) || self.state.path("version").exists();
        if self.named && made && plan.command != "uninstall" {
            self.state.create()?;
            state::write(
                &self.state.path("target"),
                self.on.0.name().as_bytes(),
                0o600,
            )?;
            ui::lead_to(&[], &self.lead);
        }
        let _watch = interrupt::watch();
        Ok(Ran::Done(run::run(
            plan,
            &chosen,
            options.from.is_some(),
            runner,
            &self.ui,
        )?))
    }

    fn print(&self, plan: &Plan, chosen: &[bool]) {
        if self.ui.style().json {
            let steps: Vec<Value> = plan
                .steps
                .iter()
                .zip(chosen)
                .filter(|(_, chosen)| **chosen)
                .map(|(step, _)| {
                    let commands = shell::commands(step, &plan.globals);
                    json!({"name": step.name, "title": step.title, "needs": step.needs, "commands": commands})
                })
                .collect();
            self.ui
                .event(&json!({"event": "plan", "command": plan.command, "steps": steps}));
            return;
        }
        let variables = exec::redirecting_variables();
        if !variables.is_empty() {
            self.ui.say(format!("unset {}", variables.join(" ")));
        }
        self.ui.say(shell::script(plan, chosen).trim_end());
    }
}

/// Whether a command makes the state directory where there is none, and may have to
/// wait for another that builds the same servers.
pub fn makes_state(command: &str) -> bool {
    ["install", "prefetch"].contains(&command)
}

/// The steps and how they ended, for the result.
pub fn ends(outcome: &Outcome) -> Value {
    // A plan with a failure has an error instead of an outcome.
    let end = |end: &End| if *end == End::Done { "done" } else { "skipped" };
    let ends = outcome.ends.iter();
    ends.map(|(name, how)| (name.clone(), json!(end(how))))
        .collect()
}

/// What a command line names: files, images, or the sample.
///
/// # Errors
/// Where a file is not there or the sample is not known.
pub fn artifacts(
    target: &dyn Target,
    images: &[String],
    blob: Option<&Path>,
    bundle: Option<&Path>,
) -> Result<Vec<Artifact>> {
    if let Some(file) = blob {
        if !file.is_file() {
            return Err(broken(format!("there is no file {}", file.display())).into());
        }
        let file = std::path::absolute(file)?;
        let beside = || {
            let mut name = file.clone().into_os_string();
            name.push(".sigstore.json");
            PathBuf::from(name)
        };
        let bundle = bundle.map_or_else(|| Ok(beside()), std::path::absolute)?;
        return Ok(vec![Artifact::Blob { file, bundle }]);
    }
    if images.is_empty() {
        return Ok(vec![Artifact::Image(target.sample()?)]);
    }
    if let Some(option) = images
        .iter()
        .find(|image| image.is_empty() || image.starts_with('-'))
    {
        return Err(broken(format!("{option:?} is not an image reference")).into());
    }
    Ok(images.iter().cloned().map(Artifact::Image).collect())
}

/// The target and why: what was typed, else the environment, else what was
/// remembered, else local.
fn choose(typed: Option<TargetKind>, state: &State) -> Result<(TargetKind, &'static str)> {
    if let Some(on) = typed {
        return Ok((on, "named by --on"));
    }
    if let Some(name) = std::env::var("WORKSHOP_ON")
        .ok()
        .filter(|name| !name.is_empty())
    {
        return Ok((parse_target(&name, "WORKSHOP_ON")?, "named by WORKSHOP_ON"));
    }
    Ok(choose_remembered(state)?.unwrap_or((TargetKind::Local, "no cluster was chosen")))
}

/// The target that was remembered.
fn choose_remembered(state: &State) -> Result<Option<(TargetKind, &'static str)>> {
    let Some(name) = state::read(&state.path("target"))? else {
        return Ok(None);
    };
    let name = String::from_utf8_lossy(&name).into_owned();
    Ok(Some((
        parse_target(&name, "the state directory")?,
        "chosen before",
    )))
}

fn parse_target(name: &str, from: &str) -> Result<TargetKind, Fail> {
    <TargetKind as clap::ValueEnum>::from_str(name.trim(), false).map_err(|_| {
        broken(format!("{from} names no target: {:?}", name.trim()))
            .hint("the targets are: local, minikube, cluster")
    })
}

/// The repository: what cargo says, else the nearest directory above this one
/// or above the program that holds the servers' manifest.
fn repository() -> Result<PathBuf> {
    let from_cargo = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let places = [
        from_cargo,
        std::env::current_dir().ok(),
        std::env::current_exe().ok(),
    ];
    let holds = |dir: &&Path| dir.join("deploy/local/servers.yml").is_file();
    places
        .iter()
        .flatten()
        .find_map(|place| place.ancestors().find(holds).map(Path::to_owned))
        .ok_or_else(|| {
            broken("this is not the workshop's repository")
                .hint("change into your checkout of it")
                .into()
        })
}
