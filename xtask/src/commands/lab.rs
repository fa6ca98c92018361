//! `lab`: an attack, what the reader makes of it, and what catches it. Its Sigstore is
//! one of processes whatever target was chosen.

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App};
use crate::exec::interrupt;
use crate::fail::{Fail, broken};
use crate::labs::{LABS, Lab, Session};
use crate::local::build::ServerBuild;
use crate::local::ports;
use crate::text::meant;
use crate::walkthrough::Milestone;

/// Attack a Sigstore made for that, and see which check catches it
#[derive(Debug, Args)]
pub(crate) struct LabCommand {
    /// Which attack [default: list them]
    name: Option<String>,
    /// Do not wait for Enter
    #[arg(long)]
    no_pause: bool,
    /// The lowest of the ports of its Sigstore [default: a free block from 20800 on, or
    /// 3000 above WORKSHOP_PORT_BASE]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1024..=65500))]
    port_base: Option<u16>,
}

/// What a lab came to.
#[derive(Serialize)]
struct Attacked {
    lab: &'static str,
    caught_by: Vec<String>,
}

/// The labs that there are.
#[derive(Serialize)]
struct Listed {
    labs: Vec<Listing>,
}

#[derive(Serialize)]
struct Listing {
    name: &'static str,
    title: &'static str,
}

impl LabCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let Some(name) = self.name else {
            return Ok(Answer::result(list(app)));
        };
        let lab = named(&name)?;
        app.state.create()?;
        let waiting = || {
            app.ui
                .note("another lab runs here; this one waits for its end")
        };
        let _held = crate::state::exclusive_or(&app.state.path("lab.lock"), &waiting)?;
        let _watch = interrupt::watch();
        say_story(app, lab);
        let mut session = Session::new(&app.ui, &app.repo, &app.state.path("lab"), !self.no_pause)?;
        let built = ServerBuild::of(&app.repo)?.missing().is_empty();
        let port_base = match self.port_base {
            Some(base) => base,
            None => ports::of_lab(&app.state.path("lab"))?,
        };
        let ended = if built { Ok(()) } else { session.build() }
            .and_then(|()| session.install(lab, port_base))
            .and_then(|()| attack(app, lab, &mut session));
        // What was made goes away whatever came of it.
        let cleared = session.clear();
        let caught_by = ended?;
        cleared?;
        app.ui.next(&following(app, lab));
        let lab = lab.name;
        let answer = Answer::result(Attacked { lab, caught_by });
        Ok(answer.milestone(Milestone::Lab(lab.to_owned())))
    }
}

/// What to type after a lab: the next one that was not run yet, or what says that all were.
fn following(app: &App, lab: &Lab) -> String {
    let progress = app.walkthrough().map(|walkthrough| walkthrough.progress);
    let run = progress.unwrap_or_default().milestones;
    let open = |other: &&Lab| {
        let milestone = Milestone::Lab(other.name.to_owned());
        other.name != lab.name && !run.contains_key(&milestone.name())
    };
    let at = LABS.iter().position(|other| other.name == lab.name);
    let (before, after) = LABS.split_at(at.unwrap_or(0));
    match after.iter().chain(before).find(open) {
        Some(next) => format!("cargo xtask lab {}", next.name),
        None => "cargo xtask check break-it".to_owned(),
    }
}

fn named(name: &str) -> Result<&'static Lab, Fail> {
    LABS.iter().find(|lab| lab.name == name).ok_or_else(|| {
        let names: Vec<&str> = LABS.iter().map(|lab| lab.name).collect();
        let meant = meant(name, names.iter().copied());
        broken(format!("there is no lab named {name:?}"))
            .meant(meant.map(|name| format!("cargo xtask lab {name}")))
            .hint(format!("the labs are: {}", names.join(", ")))
    })
}

fn attack(app: &App, lab: &Lab, session: &mut Session<'_>) -> Result<Vec<String>> {
    session.wait()?;
    (lab.run)(session)?;
    app.ui.say("");
    for line in lab.answer {
        app.ui.tell(line);
    }
    Ok(session.caught().to_vec())
}

fn say_story(app: &App, lab: &Lab) {
    app.ui.title(&format!("Lab {}: {}\n", lab.name, lab.title));
    for line in lab.story {
        app.ui.tell(line);
    }
    app.ui.say("");
    app.ui.tell(format!("What do you think? {}", lab.question));
}

fn list(app: &App) -> Listed {
    let width = LABS.iter().map(|lab| lab.name.len()).max().unwrap_or(0);
    for lab in LABS {
        app.ui.say(format!("{:width$}  {}", lab.name, lab.title));
    }
    if let Some(first) = LABS.first() {
        app.ui.next(&format!("cargo xtask lab {}", first.name));
    }
    let listing = |lab: &Lab| Listing {
        name: lab.name,
        title: lab.title,
    };
    Listed {
        labs: LABS.iter().map(listing).collect(),
    }
}
