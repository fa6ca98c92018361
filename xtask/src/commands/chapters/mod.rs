//! The loop of the workshop: `chapters`, `next`, `check`, `hint` and `reset`.

mod look;
mod reset;

use anyhow::Result;
use console::style;
use serde_json::{Value, json};

use super::App;
use crate::fail::{Fail, not_so};
use crate::target::{Component, ComponentState, Target};
use crate::text::printable;
use crate::time;
use crate::ui::typed;
use crate::walkthrough::{self, Chapter, Task, progress};

pub use reset::run as reset;

/// How far a chapter is.
enum Standing {
    /// It is only read.
    Read,
    /// All that it asks for is seen.
    Done,
    /// Some of it is not.
    NotYet,
    /// It was done, and is no more, or it cannot be seen.
    Broken(String),
}

impl Standing {
    fn name(&self) -> &'static str {
        match self {
            Standing::Read => "read",
            Standing::Done => "done",
            Standing::NotYet => "not yet",
            Standing::Broken(_) => "broken",
        }
    }
}

/// What to do where a chapter is no more done because servers were stopped.
const START_AGAIN: &str =
    "This chapter was done, and servers stopped since: start what does not run.";

/// A chapter that was looked at.
struct Looked<'a> {
    chapter: &'a Chapter,
    /// Each task, with how it was seen to be done.
    tasks: Vec<(&'a Task, Option<String>)>,
    standing: Standing,
}

impl Looked<'_> {
    /// The first task that is not done.
    fn missing(&self) -> Option<&Task> {
        let missing = self.tasks.iter().find(|(_, seen)| seen.is_none());
        missing.map(|(task, _)| *task)
    }

    fn is_open(&self) -> bool {
        matches!(self.standing, Standing::NotYet | Standing::Broken(_))
    }
}

/// The chapters on the chosen target, and what is remembered of them.
struct Loop<'a> {
    app: &'a App,
    target: Box<dyn Target>,
    progress: progress::Progress,
}

impl<'a> Loop<'a> {
    fn of(app: &'a App) -> Result<Loop<'a>> {
        Ok(Loop {
            app,
            target: app.target()?,
            progress: progress::read(&app.state, app.on.0)?,
        })
    }

    /// Looks at a chapter.
    ///
    /// # Errors
    /// Where something that it asks for cannot be looked at.
    fn look<'c>(&self, chapter: &'c Chapter) -> Result<Looked<'c>> {
        let mut tasks = Vec::new();
        for task in chapter.tasks(self.app.on.0) {
            let seen = look::at(self.app, self.target.as_ref(), &self.progress, &task.seen)?;
            tasks.push((task, seen));
        }
        let standing = match tasks.iter().find(|(_, seen)| seen.is_none()) {
            _ if tasks.is_empty() => Standing::Read,
            None => Standing::Done,
            Some((task, _)) if self.progress.chapters.contains_key(&chapter.name) => {
                Standing::Broken(format!("this holds no more: {}", task.what))
            }
            Some(_) => Standing::NotYet,
        };
        Ok(Looked {
            chapter,
            tasks,
            standing,
        })
    }

    /// The same, where a look that fails is what is found.
    fn find<'c>(&self, chapter: &'c Chapter) -> Looked<'c> {
        self.look(chapter).unwrap_or_else(|error| Looked {
            chapter,
            tasks: Vec::new(),
            standing: Standing::Broken(Fail::from_error(&error).what),
        })
    }

    /// Remembers when a chapter was seen to be done first.
    fn remember_done(&mut self, chapter: &Chapter) -> Result<()> {
        if self.progress.chapters.contains_key(&chapter.name) {
            return Ok(());
        }
        let name = chapter.name.clone();
        self.progress = progress::change(&self.app.state, self.app.on.0, |progress| {
            progress.chapters.entry(name).or_insert_with(time::now);
        })?;
        Ok(())
    }

    /// The chapter that was named, or the first that is not done, of those that ask
    /// for something.
    ///
    /// # Errors
    /// Where there is none of that name, or one cannot be looked at.
    fn chosen<'c>(
        &self,
        chapters: &'c [Chapter],
        named: Option<&str>,
    ) -> Result<Option<Looked<'c>>> {
        if let Some(name) = named {
            return self.look(walkthrough::named(chapters, name)?).map(Some);
        }
        for chapter in chapters {
            let looked = self.look(chapter)?;
            if looked.is_open() {
                return Ok(Some(looked));
            }
        }
        Ok(None)
    }

    /// Whether a chapter was done, and is no more since all servers were stopped: an
    /// install was complete before.
    fn stopped(&self, looked: &Looked<'_>) -> bool {
        let down = |there: Vec<Component>| {
            there
                .iter()
                .all(|component| component.state != ComponentState::Up)
        };
        matches!(looked.standing, Standing::Broken(_))
            && self.progress.chapters.contains_key("install")
            && self.target.status().is_ok_and(down)
    }

    /// How many hints were given for a task. Nobody needs more than there are.
    fn hints_given(&self, chapter: &Chapter, task: &Task) -> usize {
        let given = self.progress.hints.get(&chapter.key(task));
        given.copied().unwrap_or(0).min(hints_of(task))
    }
}

/// How many hints a task has: after those of the table comes the command.
fn hints_of(task: &Task) -> usize {
    task.hints.len() + 1
}

/// `chapters`: all of them, and how far each is.
pub fn list(app: &App) -> Result<Option<Value>> {
    let chapters = walkthrough::all()?;
    let mut reader = Loop::of(app)?;
    let width = chapters.iter().map(|chapter| chapter.title.len()).max();
    let mut documents = Vec::new();
    let mut at = None;
    for chapter in &chapters {
        // Each is told as it is looked at: a cluster may take its time to answer.
        let looked = reader.find(chapter);
        let is_here = at.is_none() && looked.is_open();
        if is_here {
            at = Some(chapter);
        }
        let standing = looked.standing;
        if matches!(standing, Standing::Done) {
            reader.remember_done(chapter)?;
        }
        let state = match &standing {
            Standing::Done => style("✓ done").green(),
            Standing::Broken(_) => style("✗ broken").red(),
            Standing::Read => style("  only read"),
            Standing::NotYet => style("  not yet"),
        };
        let why = match &standing {
            Standing::Broken(why) => Some(why.clone()),
            _ => None,
        };
        let tasks = chapter.tasks(app.on.0).into_iter();
        let hints: usize = tasks.map(|task| reader.hints_given(chapter, task)).sum();
        let line = format!(
            "{} {:>2}  {:width$}  {:>3} min  {state}",
            if is_here { "→" } else { " " },
            chapter.number,
            chapter.title,
            chapter.minutes,
            width = width.unwrap_or(0),
        );
        app.ui.say(line.trim_end());
        if let Some(why) = &why {
            app.ui.say(format!("        {}", printable(why)));
        }
        documents.push(json!({
            "name": chapter.name,
            "number": chapter.number,
            "title": chapter.title,
            "page": format!("docs/{}", chapter.page),
            "minutes": chapter.minutes,
            "state": standing.name(),
            "why": why,
            "done_at": reader.progress.chapters.get(&chapter.name),
            "hints": hints,
        }));
    }
    match at {
        Some(at) => app.ui.say(format!("you are at {}", at.spoken())),
        None => app.ui.say("every chapter is done"),
    };
    if at.is_some() {
        app.ui.next("cargo xtask next");
    }
    app.ui.event(&json!({
        "target": app.on.0.name(),
        "at": at.map(|at| at.name.clone()),
        "chapters": documents,
    }));
    Ok(None)
}

/// `next`: what to do now.
pub fn next(app: &App) -> Result<Option<Value>> {
    let chapters = walkthrough::all()?;
    let reader = Loop::of(app)?;
    let Some(looked) = reader.chosen(&chapters, None)? else {
        return Ok(Some(all_done(app, &chapters)));
    };
    let chapter = looked.chapter;
    say_chapter(app, chapter);
    let Some(task) = looked.missing() else {
        return Ok(Some(json!({"chapter": chapter.name})));
    };
    let (todo, command) = if reader.stopped(&looked) {
        (START_AGAIN, "cargo xtask start")
    } else {
        (task.todo.as_str(), task.command.as_str())
    };
    app.ui.tell(format!("{} {todo}", chapter.about));
    // This is the answer, also for whoever wants nothing else.
    app.ui.say(format!("next: {}", typed(command)));
    Ok(Some(json!({
        "chapter": chapter.name,
        "page": format!("docs/{}", chapter.page),
        "about": chapter.about,
        "todo": todo,
        "next": command,
    })))
}

/// `check`: whether a chapter is done, and what is missing.
pub fn check(app: &App, named: Option<&str>) -> Result<Option<Value>> {
    let chapters = walkthrough::all()?;
    let mut reader = Loop::of(app)?;
    let Some(looked) = reader.chosen(&chapters, named)? else {
        return Ok(Some(all_done(app, &chapters)));
    };
    let chapter = looked.chapter;
    say_chapter(app, chapter);
    if looked.tasks.is_empty() {
        app.ui.say("it is only read, so there is nothing to check");
    }
    for (task, seen) in &looked.tasks {
        match seen {
            Some(seen) => app.ui.say(format!(
                "{} {} ({})",
                style("✓").green(),
                task.what,
                printable(seen)
            )),
            None => app.ui.say(format!("{} {}", style("✗").red(), task.what)),
        };
    }
    let tasks: Vec<Value> = looked
        .tasks
        .iter()
        .map(|(task, seen)| json!({"what": task.what, "ok": seen.is_some(), "seen": seen}))
        .collect();
    let missing = looked.missing();
    app.ui
        .event(&json!({"chapter": chapter.name, "tasks": tasks, "ok": missing.is_none()}));
    if let Some(task) = missing {
        let spoken = chapter.spoken();
        let what = match looked.standing {
            Standing::Broken(_) => format!("{spoken} was done, and is no more"),
            _ => format!("{spoken} is not done yet"),
        };
        if reader.stopped(&looked) {
            let start = "servers stopped since: cargo xtask start";
            return Err(not_so(what).hint(start).reported().into());
        }
        return Err(not_so(what)
            .hint(task.todo.clone())
            .hint(format!(
                "for a hint about how: cargo xtask hint {}",
                chapter.name
            ))
            .reported()
            .into());
    }
    if !looked.tasks.is_empty() {
        reader.remember_done(chapter)?;
        app.ui.say(format!("{} is done", chapter.spoken()));
    }
    if let Some(following) = chapters.get(chapter.number as usize + 1) {
        app.ui.say(format!("read on in docs/{}", following.page));
    }
    Ok(None)
}

/// `hint`: the next hint about the first thing that is missing.
pub fn hint(app: &App, named: Option<&str>) -> Result<Option<Value>> {
    let chapters = walkthrough::all()?;
    let reader = Loop::of(app)?;
    let Some(looked) = reader.chosen(&chapters, named)? else {
        return Ok(Some(all_done(app, &chapters)));
    };
    let chapter = looked.chapter;
    say_chapter(app, chapter);
    let Some(task) = looked.missing() else {
        app.ui.say(match looked.standing {
            Standing::Read => "it is only read, so there is nothing to hint at",
            _ => "nothing is missing, so there is nothing to hint at",
        });
        return Ok(Some(json!({"chapter": chapter.name})));
    };
    let of = hints_of(task);
    let number = (reader.hints_given(chapter, task) + 1).min(of);
    progress::change(&app.state, app.on.0, |progress| {
        progress.hints.insert(chapter.key(task), number);
    })?;
    app.ui.say(format!("not yet: {}", task.what));
    let line = |hint: &str| format!("hint {number} of {of}: {hint}");
    let hint = if let Some(hint) = task.hints.get(number - 1) {
        app.ui.tell(line(hint));
        hint.clone()
    } else {
        // A command stays in one piece, to be copied.
        let answer = format!("Type: {}", typed(&task.command));
        app.ui.say(line(&answer));
        answer
    };
    Ok(Some(json!({
        "chapter": chapter.name,
        "missing": task.what,
        "number": number,
        "of": of,
        "hint": hint,
    })))
}

fn say_chapter(app: &App, chapter: &Chapter) {
    let Chapter {
        number,
        title,
        page,
        ..
    } = chapter;
    app.ui
        .say(format!("Chapter {number}, {title}: docs/{page}"));
}

/// What is left where nothing is missing: what has no check.
fn all_done(app: &App, chapters: &[Chapter]) -> Value {
    app.ui.say("every chapter that has something to do is done");
    if let Some(last) = chapters.last() {
        app.ui
            .say(format!("what is left to read: docs/{}", last.page));
    }
    json!({"chapter": null})
}
