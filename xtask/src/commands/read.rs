//! `read`: a chapter in the terminal.

use anyhow::{Context, Result};
use clap::Args;
use console::style;
use serde::Serialize;

use crate::app::{Answer, App};
use crate::book::{PageLine, page_lines};
use crate::target::TargetKind;
use crate::walkthrough;

/// Show a chapter in the terminal, for the chosen target
#[derive(Debug, Args)]
pub(crate) struct ReadCommand {
    /// Its number or name [default: the first that is not done]
    chapter: Option<String>,
    /// Show the answers to its questions as well
    #[arg(long)]
    answers: bool,
}

#[derive(Serialize)]
struct ShownChapter {
    chapter: String,
    page: String,
}

impl ReadCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let chapters = walkthrough::all()?;
        let chapter = match &self.chapter {
            Some(name) => walkthrough::named(&chapters, name)?,
            None => match app.walkthrough()?.chosen(&chapters, None)? {
                Some(report) => report.chapter,
                None => chapters.last().context("there are no chapters")?,
            },
        };
        let page = format!("docs/{}", chapter.page);
        let text = std::fs::read_to_string(app.repo.join(&page))
            .with_context(|| format!("read {page}"))?;
        let other = match app.chosen.kind {
            TargetKind::Local => "cluster",
            TargetKind::Minikube | TargetKind::Cluster => "local",
        };
        for line in page_lines(&text, other, self.answers) {
            let read = match line {
                PageLine::Heading(text, true) => {
                    app.ui.say(style(text).bold().underlined().to_string())
                }
                PageLine::Heading(text, false) => app.ui.say(style(text).bold().to_string()),
                PageLine::Prose(text) => app.ui.tell(text),
                PageLine::Verbatim(text) if text.trim_start().starts_with("$ ") => {
                    app.ui.say(style(text).bold().to_string())
                }
                PageLine::Verbatim(text) => app.ui.say(text),
                PageLine::Blank => app.ui.say(""),
            };
            if !read {
                // Whoever reads has seen enough, as with a pager.
                return Ok(Answer::printed());
            }
        }
        let name = &chapter.name;
        if self.answers {
            app.ui.next(&format!("cargo xtask check {name}"));
        } else {
            app.ui.next(&format!("cargo xtask read {name} --answers"));
        }
        let chapter = name.clone();
        Ok(Answer::result(ShownChapter { chapter, page }))
    }
}
