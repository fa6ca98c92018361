//! What every command works with: the target that was chosen, the state directory, and
//! the one way to run a plan, to ask and to answer.

mod answer;
mod artifact_args;
mod change;
mod choose;
mod confirm;
mod evidence_args;
mod execute;
mod help;
mod repository;
mod stage;

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cli::Global;
use crate::cluster::Cluster;
use crate::fail::{Fail, broken};
use crate::local::{Local, ports};
use crate::plan::Plan;
use crate::state::State;
use crate::target::{PortOptions, Target, TargetKind};
use crate::ui::{CommandPrefix, Style, Ui};
use crate::walkthrough::{Chapter, Milestone, Walkthrough, progress};

pub(crate) use answer::Answer;
pub(crate) use artifact_args::{ArtifactArgs, NamedArtifacts, told_partly};
pub(crate) use change::{Changed, Ends};
pub(crate) use choose::Chosen;
pub(crate) use confirm::ask;
pub(crate) use evidence_args::EvidenceArgs;
pub(crate) use execute::{Execution, PlanOptions};
pub(crate) use help::{Group, grouped, with_components};
pub(crate) use stage::StageArgs;

/// What a reader can do who has come to the end.
const COURSE_DONE: &str = "You have done every chapter: you asked for a certificate by hand, read \
    the logs, signed, verified, proved an entry with your own arithmetic and attacked all of it. \
    Nothing of it was a toy: the public Sigstore runs the same servers. From here on:";

/// What a command works with.
pub(crate) struct App {
    /// Where it prints.
    pub(crate) ui: Ui,
    /// The repository.
    pub(crate) repo: PathBuf,
    /// The state directory.
    pub(crate) state: State,
    /// The target, and why it is that one.
    pub(crate) chosen: Chosen,
    /// The options that lead another `cargo xtask` to the same target and state.
    globals: Vec<String>,
    /// Whether `--on` was typed.
    named: bool,
    /// The context of kubectl that was typed.
    context: Option<String>,
    /// The options that lead another `cargo xtask` to the same state.
    lead: Vec<String>,
}

impl App {
    /// Finds the repository, the state directory and the target.
    // In this order, so that a mistake in the options is told before anything is asked.
    pub(crate) fn open(global: &Global, on: Option<TargetKind>, ui: Ui) -> Result<App> {
        let repo = repository::find()?;
        let from_env = std::env::var_os("WORKSHOP_STATE")
            .filter(|dir| !dir.is_empty())
            .map(PathBuf::from);
        let root = match global.state.clone().or(from_env) {
            Some(dir) => std::path::absolute(dir).context("find the state directory")?,
            None => repo.join(".workshop"),
        };
        // Commands are text, and so is JSON: a path that is not UTF-8 would come back as another path.
        for path in [&root, &repo] {
            if path.to_str().is_none() {
                return Err(broken(format!("the path {} is not UTF-8", path.display())).into());
            }
        }
        let default = root == repo.join(".workshop");
        let state = State::open(root)?;
        let chosen = Chosen::of(on, &state)?;
        if chosen.kind == TargetKind::Local && global.context.is_some() {
            return Err(broken("--context names a cluster, and the target is local")
                .hint("name the target as well: --on cluster")
                .into());
        }
        let is_installed = repository::is_outside(&repo);
        let mut lead = Vec::new();
        if !default {
            let root = state.root().to_string_lossy().into_owned();
            lead.extend(["--state".to_owned(), root]);
        }
        let name_target = ["--on".to_owned(), chosen.kind.name().to_owned()];
        ui.set_prefix(CommandPrefix::new(&[], &lead).installed(is_installed));
        // What is not remembered has to be typed again.
        if on.is_some() && chosen.kind != choose::remembered_or_local(&state)? {
            let context = global.context.iter();
            let context = context.flat_map(|name| ["--context".to_owned(), name.clone()]);
            let target: Vec<String> = name_target.iter().cloned().chain(context).collect();
            ui.set_prefix(CommandPrefix::new(&target, &lead).installed(is_installed));
        }
        Ok(App {
            ui,
            repo,
            state,
            chosen,
            globals: name_target.into_iter().chain(lead.clone()).collect(),
            named: on.is_some(),
            context: global.context.clone(),
            lead,
        })
    }

    /// The chosen target.
    pub(crate) fn target(&self) -> Result<Box<dyn Target>> {
        match self.chosen.kind {
            TargetKind::Local => Ok(Box::new(self.local()?)),
            TargetKind::Minikube | TargetKind::Cluster => Ok(Box::new(self.cluster()?)),
        }
    }

    /// The chosen target, in order to remove it; damaged settings must not prevent that.
    pub(crate) fn target_to_remove(&self) -> Result<Box<dyn Target>> {
        match self.chosen.kind {
            TargetKind::Local => Ok(Box::new(self.local_to_remove()?)),
            TargetKind::Minikube | TargetKind::Cluster => Ok(Box::new(self.cluster()?)),
        }
    }

    /// An empty plan of a command that needs no target.
    pub(crate) fn plan(&self, command: &str) -> Plan {
        Plan::new(command, self.globals.clone())
    }

    /// The ports that were asked for: what was typed, or what the environment says.
    pub(crate) fn ports(&self, typed: PortOptions) -> Result<PortOptions> {
        let more = match self.chosen.kind {
            TargetKind::Local => 0,
            TargetKind::Minikube | TargetKind::Cluster => ports::OF_CLUSTER,
        };
        if typed.port_base.is_some() {
            return Ok(typed);
        }
        let base = ports::from_environment()?.map(|base| base.saturating_add(more));
        Ok(PortOptions { port_base: base })
    }

    /// The same app, printing in another style.
    pub(crate) fn restyled(&self, style: Style) -> App {
        App {
            ui: self.ui.restyled(style),
            repo: self.repo.clone(),
            state: self.state.clone(),
            chosen: self.chosen,
            globals: self.globals.clone(),
            named: self.named,
            context: self.context.clone(),
            lead: self.lead.clone(),
        }
    }

    pub(crate) fn local_to_remove(&self) -> Result<Local> {
        Local::open_to_remove(&self.repo, &self.state, self.globals.clone())
    }

    pub(crate) fn cluster(&self) -> Result<Cluster> {
        let context = self.context.as_deref();
        Cluster::open(
            &self.repo,
            &self.state,
            self.chosen.kind,
            context,
            &self.globals,
        )
    }

    pub(crate) fn local(&self) -> Result<Local> {
        Local::open(&self.repo, &self.state, self.globals.clone())
    }

    /// Whether an installation was begun in this state directory.
    pub(crate) fn has_installation(&self) -> bool {
        self.state.path("version").exists()
    }

    /// The path of a page of `docs/`, as it can be opened from where the user is.
    pub(crate) fn page(&self, name: &str) -> String {
        let here = std::env::current_dir().unwrap_or_default();
        repository::path_from(&here, &self.repo, &format!("docs/{name}"))
    }

    /// The chapters on the chosen target.
    pub(crate) fn walkthrough(&self) -> Result<Walkthrough<'_>> {
        let style = self.ui.style();
        let trace = style.verbose && !style.json;
        Walkthrough::open(&self.state, self.chosen.kind, self.target()?, trace)
    }

    /// Says what there is after the chapters, where all that have something to do are done.
    pub(crate) fn say_course_done(&self, chapters: &[Chapter]) {
        self.ui.tell(COURSE_DONE);
        let last = chapters.last().map(|chapter| self.page(&chapter.page));
        let rows = [
            ("the last chapter, only to read", last),
            ("signing what you make", Some(self.page("use.md"))),
            (
                "the clients that you have already",
                Some(self.page("clients.md")),
            ),
            ("the same on a cluster", Some(self.page("cluster.md"))),
        ];
        for (what, page) in rows {
            let page = page.unwrap_or_default();
            self.ui.say(format!("  {what:<35}{page}"));
        }
        self.ui.next("cargo xtask log");
    }

    /// Remembers what a command did for the chapters, where there is a state to
    /// remember it in. Where that fails, the command has done its work all the same.
    pub(crate) fn remember(&self, milestone: &Milestone) {
        if !self.has_installation() {
            return;
        }
        if let Err(error) = progress::remember(&self.state, self.chosen.kind, milestone) {
            let what = Fail::from_error(&error).what;
            self.ui
                .note(format!("not remembered for the chapters: {what}"));
        }
    }
}
