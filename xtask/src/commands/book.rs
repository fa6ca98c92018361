//! `book`: the pages of `docs/` as a book for a browser.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::app::{Answer, App, Ends, Execution, PlanOptions};
use crate::book::{Book, refuse_taken, show};
use crate::exec::interrupt;
use crate::state::Lock;

/// Make a book of the pages in docs/, to be read in a browser
#[derive(Debug, Args)]
pub(crate) struct BookCommand {
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
}

#[derive(Serialize)]
struct MadeBook {
    page: PathBuf,
    steps: Ends,
}

impl BookCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let port = self.serve.then_some(self.port);
        let dry_run = self.plan.dry_run;
        let book = Book::of(&app.repo, self.output.as_deref())?;
        let plan = book.plan(port);
        let waiting = || {
            app.ui
                .note("another command makes this book: waiting for it")
        };
        let _watch = interrupt::watch();
        let held = match dry_run {
            true => None,
            false => Some(book.hold(&waiting)?),
        };
        if let Some(port) = port.filter(|_| !dry_run) {
            // Reported before anything takes minutes.
            refuse_taken(port)?;
        }
        // Showing a book ends with an interruption, which no step of a run may; in a shell
        // script it is one more command.
        let steps = plan.steps.iter();
        let chosen = steps.map(|step| dry_run || step.name != "serve").collect();
        let ran = app.execute_some(&book, &plan, chosen, &self.plan)?;
        let Execution::Finished(outcome) = ran else {
            return Ok(Answer::printed());
        };
        let page = book.first_page();
        match port {
            None => {
                app.ui.say(format!("wrote {}", page.display()));
                app.ui.next("cargo xtask book --serve");
            }
            Some(port) => serve(app, &book, port, held)?,
        }
        let steps = Ends::of(&outcome);
        Ok(Answer::result(MadeBook { page, steps }))
    }
}

/// Shows the book until an interruption.
fn serve(app: &App, book: &Book, port: u16, held: Option<Lock>) -> Result<()> {
    let _watch = interrupt::watch();
    let url = format!("http://127.0.0.1:{port}/");
    show(&book.server(port), &url, || {
        // It is made, so others may make it again.
        drop(held);
        app.ui.event(&json!({"event": "serve", "url": url}));
        app.ui.say(format!("shown at {url} until Ctrl-C"));
    })
}
