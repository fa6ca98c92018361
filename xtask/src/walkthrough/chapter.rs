//! A chapter, and what it has a reader do, as the table says.

use std::path::Path;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::{Deserialize, Deserializer};

use super::{DoneWhen, Milestone};
use crate::fail::{Fail, broken};
use crate::labs::LABS;
use crate::target::{TargetKind, WayBack};
use crate::text::meant;

/// A chapter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chapter {
    /// As it is typed.
    pub name: String,
    /// Its place, from 0.
    pub number: u32,
    /// Its page in `docs/`.
    pub page: String,
    /// Its heading, without the number.
    pub title: String,
    /// How long a newcomer takes for it.
    pub minutes: u32,
    /// Why it is there, a sentence.
    pub about: String,
    /// What stays when it is reset, and why.
    pub stays: Option<String>,
    /// How it is undone.
    #[serde(default)]
    reset: Vec<WayRow>,
    /// What it has a reader do; nothing where it is only read.
    #[serde(default, deserialize_with = "tasks")]
    tasks: Vec<ChapterTask>,
}

/// One way to undo a chapter, and the targets that it is for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WayRow {
    #[serde(deserialize_with = "way")]
    by: WayBack,
    /// All where none is named.
    #[serde(default, deserialize_with = "targets")]
    on: Vec<TargetKind>,
}

/// Something that a chapter has a reader do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChapterTask {
    /// What holds once it is done, without a full stop.
    pub what: String,
    /// What to do, a sentence.
    pub todo: String,
    /// The command that does it.
    pub command: String,
    /// How a file comes to be there that the command names.
    makes: Option<MadeFile>,
    /// Hints, the vaguest first; after the last of them comes the command.
    pub hints: Vec<String>,
    /// The targets that have it; all where none is named.
    #[serde(default, deserialize_with = "targets")]
    on: Vec<TargetKind>,
    /// How it is seen to be done.
    #[serde(rename = "seen", deserialize_with = "done_when")]
    pub(crate) done_when: DoneWhen,
}

/// A file that a command names.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct MadeFile {
    file: String,
    /// What makes it.
    by: String,
}

impl ChapterTask {
    /// What to type: the command, and before it what makes the file that it names, where
    /// there is none.
    pub(crate) fn to_type(&self) -> String {
        match &self.makes {
            Some(MadeFile { file, by }) if !Path::new(file).exists() => {
                format!("{by} && {}", self.command)
            }
            _ => self.command.clone(),
        }
    }

    /// How many hints it has: after those of the table comes the command.
    pub(crate) fn hint_count(&self) -> usize {
        self.hints.len() + 1
    }
}

impl Chapter {
    /// What it has a reader do on a target.
    pub fn tasks(&self, on: TargetKind) -> Vec<&ChapterTask> {
        let here = |task: &&ChapterTask| task.on.is_empty() || task.on.contains(&on);
        self.tasks.iter().filter(here).collect()
    }

    /// How it is undone on a target.
    pub(crate) fn ways_back(&self, on: TargetKind) -> Vec<WayBack> {
        let here = |row: &&WayRow| row.on.is_empty() || row.on.contains(&on);
        self.reset.iter().filter(here).map(|row| row.by).collect()
    }

    /// The key under which one of its tasks is remembered.
    pub fn key(&self, task: &ChapterTask) -> String {
        format!("{}: {}", self.name, task.what)
    }

    /// The heading that is printed above it, with the path of its page.
    pub(crate) fn heading(&self, page: &str) -> String {
        let Chapter { number, title, .. } = self;
        format!("Chapter {number}, {title}: {page}")
    }

    /// Its number and title: `chapter 7 (Sign)`.
    pub fn spoken(&self) -> String {
        format!("chapter {} ({})", self.number, self.title)
    }
}

/// All chapters, in their order.
pub fn all() -> Result<Vec<Chapter>> {
    serde_yaml::from_str(include_str!("chapters.yml")).context("read the table of the chapters")
}

/// The chapter of a name or number.
pub(crate) fn named<'a>(chapters: &'a [Chapter], typed: &str) -> Result<&'a Chapter, Fail> {
    let number = typed.parse().ok();
    let found = chapters
        .iter()
        .find(|chapter| chapter.name == typed || Some(chapter.number) == number);
    found.ok_or_else(|| {
        let names: Vec<_> = chapters
            .iter()
            .map(|chapter| chapter.name.as_str())
            .collect();
        let meant = meant(typed, names.iter().copied());
        broken(format!("there is no chapter {typed:?}"))
            .meant(meant.map(str::to_owned))
            .hint(format!(
                "the chapters are 0 to {}: {}",
                chapters.len().saturating_sub(1),
                names.join(", ")
            ))
    })
}

/// A task for each lab.
fn labs() -> Vec<ChapterTask> {
    let task = |lab: &crate::labs::Lab| ChapterTask {
        what: format!("{}: {}", lab.name, lab.title),
        todo: "Predict what catches the attack of this lab, and run it.".to_owned(),
        command: format!("cargo xtask lab {}", lab.name),
        makes: None,
        hints: vec![
            "Each lab is an attack, and is run by its name.".to_owned(),
            format!("The question of this one is: {}", lab.question),
        ],
        on: Vec::new(),
        done_when: DoneWhen::Did(Milestone::Lab(lab.name.to_owned())),
    };
    LABS.iter().map(task).collect()
}

fn tasks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<ChapterTask>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Tasks {
        Listed(Vec<ChapterTask>),
        Word(String),
    }
    match Tasks::deserialize(from)? {
        Tasks::Listed(tasks) => Ok(tasks),
        Tasks::Word(word) if word == "labs" => Ok(labs()),
        Tasks::Word(word) => Err(serde::de::Error::custom(format!("no tasks: {word:?}"))),
    }
}

fn way<'de, D: Deserializer<'de>>(from: D) -> Result<WayBack, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(serde::de::Error::custom)
}

fn targets<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<TargetKind>, D::Error> {
    let names = Vec::<String>::deserialize(from)?;
    let target =
        |name: &String| TargetKind::from_str(name, false).map_err(serde::de::Error::custom);
    names.iter().map(target).collect()
}

fn done_when<'de, D: Deserializer<'de>>(from: D) -> Result<DoneWhen, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_and_is_in_order() {
        let chapters = all().unwrap();
        assert_eq!(chapters.len(), 14);
        for (i, chapter) in chapters.iter().enumerate() {
            assert_eq!(chapter.number as usize, i, "{}", chapter.name);
            assert!(chapter.page.starts_with(&format!("{i:02}-")));
            assert!(chapter.about.ends_with('.'));
        }
    }

    /// On every target a chapter is either only read or has tasks.
    #[test]
    fn every_target_has_the_same_chapters_to_do() {
        for chapter in all().unwrap() {
            let here = [TargetKind::Local, TargetKind::Minikube, TargetKind::Cluster]
                .map(|on| chapter.tasks(on).is_empty() == chapter.tasks.is_empty());
            assert_eq!(here, [true; 3], "{}", chapter.name);
        }
    }

    /// The answer comes last.
    #[test]
    fn no_hint_gives_the_command_away() {
        for chapter in all().unwrap() {
            for task in &chapter.tasks {
                assert!(!task.hints.is_empty(), "{}", task.what);
                for hint in &task.hints {
                    assert!(!hint.contains(&task.command), "{hint}");
                    assert!(hint.ends_with(['.', '?']), "{hint}");
                }
                assert!(task.todo.ends_with('.') && !task.what.ends_with('.'));
            }
        }
    }

    #[test]
    fn chapters_are_named_by_number_or_name() {
        let chapters = all().unwrap();
        assert_eq!(named(&chapters, "7").unwrap().name, "sign");
        assert_eq!(named(&chapters, "sign").unwrap().number, 7);
        for wrong in ["14", "-1", "", "Sign", "7 "] {
            assert!(named(&chapters, wrong).is_err(), "{wrong}");
        }
    }
}
