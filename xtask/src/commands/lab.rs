//! `lab`: an attack, what the reader makes of it, and what catches it. Its Sigstore is
//! one of processes whatever target was chosen.

use anyhow::Result;
use serde_json::{Value, json};

use super::App;
use crate::exec::interrupt;
use crate::fail::broken;
use crate::labs::{LABS, Lab, Stage};
use crate::local::build::ServerBuild;

pub fn run(app: &App, name: Option<&str>, pause: bool, port_base: u16) -> Result<Option<Value>> {
    let Some(name) = name else {
        return Ok(Some(list(app)));
    };
    let lab = LABS.iter().find(|lab| lab.name == name).ok_or_else(|| {
        let names: Vec<&str> = LABS.iter().map(|lab| lab.name).collect();
        broken(format!("there is no lab named {name:?}"))
            .hint(format!("the labs are: {}", names.join(", ")))
    })?;
    app.state.create()?;
    let _held = crate::state::exclusive(&app.state.path("lab.lock"))?;
    let _watch = interrupt::watch();
    say_story(app, lab);
    let mut stage = Stage::new(&app.ui, &app.state.path("lab"), pause)?;
    let built = ServerBuild::of(&app.repo)?.built();
    let ended = if built { Ok(()) } else { stage.build() }
        .and_then(|()| stage.set(lab, port_base))
        .and_then(|()| attack(app, lab, &mut stage));
    // What was made goes away whatever came of it.
    let cleared = stage.clear();
    let caught = ended?;
    cleared?;
    Ok(Some(json!({"lab": lab.name, "caught_by": caught})))
}

fn attack(app: &App, lab: &Lab, stage: &mut Stage<'_>) -> Result<Vec<String>> {
    stage.wait()?;
    (lab.run)(stage)?;
    app.ui.say("");
    for line in lab.answer {
        app.ui.tell(line);
    }
    Ok(stage.caught().to_vec())
}

fn say_story(app: &App, lab: &Lab) {
    app.ui.say(format!("Lab {}: {}\n", lab.name, lab.title));
    for line in lab.story {
        app.ui.tell(line);
    }
    app.ui.say("");
    app.ui.tell(format!("What do you think? {}", lab.question));
}

fn list(app: &App) -> Value {
    let width = LABS.iter().map(|lab| lab.name.len()).max().unwrap_or(0);
    for lab in LABS {
        app.ui.say(format!("{:width$}  {}", lab.name, lab.title));
    }
    if let Some(first) = LABS.first() {
        app.ui.next(&format!("cargo xtask lab {}", first.name));
    }
    let labs: Vec<Value> = LABS
        .iter()
        .map(|lab| json!({"name": lab.name, "title": lab.title}))
        .collect();
    json!({"labs": labs})
}
