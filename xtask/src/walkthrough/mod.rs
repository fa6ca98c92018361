//! The chapters of the workshop as data: what each has a reader do, and how that is
//! seen.

pub mod progress;
pub mod steps;

use std::str::FromStr;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::{Deserialize, Deserializer};

use crate::fail::{Fail, broken};
use crate::labs::LABS;
use crate::target::InstallStage;
use crate::target::TargetKind;

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
    /// What it has a reader do; nothing where it is only read.
    #[serde(default, deserialize_with = "tasks")]
    tasks: Vec<Task>,
}

/// Something that a chapter has a reader do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// What holds once it is done, without a full stop.
    pub what: String,
    /// What to do, a sentence.
    pub todo: String,
    /// The command that does it.
    pub command: String,
    /// Hints, the vaguest first; after the last of them comes the command.
    pub hints: Vec<String>,
    /// The targets that have it; all where none is named.
    #[serde(default, deserialize_with = "targets")]
    on: Vec<TargetKind>,
    /// How it is looked at.
    #[serde(deserialize_with = "seen")]
    pub seen: Seen,
}

/// How to see that a task is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The preflight finds nothing missing.
    Machine,
    /// A prefetch has nothing left to do.
    Prefetched,
    /// Of these components those that the installation has are up.
    Up(Vec<String>),
    /// A part of an install is done.
    Part(InstallStage),
    /// An install has nothing left to do.
    Installed,
    /// The registry holds a signature of the sample, by whom `verify` expects.
    SampleSigned,
    /// A file that was signed here proves with its bundle.
    FileSigned,
    /// The checkpoint of a log is kept.
    Checkpoint,
    /// The sample carries an attestation.
    Attested,
    /// A command did it, which nothing but the memory of progress shows.
    Did(String),
}

impl FromStr for Seen {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Seen, Fail> {
        let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
        Ok(match (kind, rest) {
            ("machine", "") => Seen::Machine,
            ("prefetched", "") => Seen::Prefetched,
            ("installed", "") => Seen::Installed,
            ("sample-signed", "") => Seen::SampleSigned,
            ("file-signed", "") => Seen::FileSigned,
            ("checkpoint", "") => Seen::Checkpoint,
            ("attested", "") => Seen::Attested,
            ("up", names) if !names.is_empty() => {
                Seen::Up(names.split(' ').map(str::to_owned).collect())
            }
            ("did", deed) if !deed.is_empty() => Seen::Did(deed.to_owned()),
            ("part", name) => {
                let part = InstallStage::ALL
                    .into_iter()
                    .find(|part| part.name() == name);
                Seen::Part(part.ok_or_else(|| broken(format!("there is no part {name:?}")))?)
            }
            _ => return Err(broken(format!("nothing is seen by {text:?}"))),
        })
    }
}

impl Chapter {
    /// What it has a reader do on a target.
    pub fn tasks(&self, on: TargetKind) -> Vec<&Task> {
        let here = |task: &&Task| task.on.is_empty() || task.on.contains(&on);
        self.tasks.iter().filter(here).collect()
    }

    /// What is remembered of one of its tasks is under this.
    pub fn key(&self, task: &Task) -> String {
        format!("{}: {}", self.name, task.what)
    }

    /// How it is spoken of: `chapter 7 (Sign)`.
    pub fn spoken(&self) -> String {
        format!("chapter {} ({})", self.number, self.title)
    }
}

/// All chapters, in their order.
///
/// # Errors
/// Never, where the tests of this module passed: the table is part of the program.
pub fn all() -> Result<Vec<Chapter>> {
    serde_yaml::from_str(include_str!("chapters.yml")).context("read the table of the chapters")
}

/// The chapter of a name or number.
///
/// # Errors
/// Where there is none; the names there are become the hint.
pub fn named<'a>(chapters: &'a [Chapter], typed: &str) -> Result<&'a Chapter, Fail> {
    let number = typed.parse().ok();
    let found = chapters
        .iter()
        .find(|chapter| chapter.name == typed || Some(chapter.number) == number);
    found.ok_or_else(|| {
        let names: Vec<_> = chapters
            .iter()
            .map(|chapter| chapter.name.as_str())
            .collect();
        broken(format!("there is no chapter {typed:?}")).hint(format!(
            "the chapters are 0 to {}: {}",
            chapters.len().saturating_sub(1),
            names.join(", ")
        ))
    })
}

/// What a lab is remembered as.
pub fn lab_deed(name: &str) -> String {
    format!("lab {name}")
}

/// A task for each lab.
fn labs() -> Vec<Task> {
    let task = |lab: &crate::labs::Lab| Task {
        what: format!("{}: {}", lab.name, lab.title),
        todo: "Predict what catches the attack of this lab, and run it.".to_owned(),
        command: format!("cargo xtask lab {}", lab.name),
        hints: vec![
            "Each lab is an attack, and is run by its name.".to_owned(),
            format!("The question of this one is: {}", lab.question),
        ],
        on: Vec::new(),
        seen: Seen::Did(lab_deed(lab.name)),
    };
    LABS.iter().map(task).collect()
}

fn tasks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Task>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Tasks {
        Listed(Vec<Task>),
        Word(String),
    }
    match Tasks::deserialize(from)? {
        Tasks::Listed(tasks) => Ok(tasks),
        Tasks::Word(word) if word == "labs" => Ok(labs()),
        Tasks::Word(word) => Err(serde::de::Error::custom(format!("no tasks: {word:?}"))),
    }
}

fn targets<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<TargetKind>, D::Error> {
    let names = Vec::<String>::deserialize(from)?;
    let target =
        |name: &String| TargetKind::from_str(name, false).map_err(serde::de::Error::custom);
    names.iter().map(target).collect()
}

fn seen<'de, D: Deserializer<'de>>(from: D) -> Result<Seen, D::Error> {
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

    /// Whatever the target, a chapter is either read or has tasks there.
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

    #[test]
    fn what_is_seen_is_one_of_the_ways() {
        assert_eq!(
            "part trust".parse::<Seen>().unwrap(),
            Seen::Part(InstallStage::Trust)
        );
        for wrong in ["", "up", "did", "part", "part dex", "machine x", "seen"] {
            assert!(wrong.parse::<Seen>().is_err(), "{wrong}");
        }
    }
}
