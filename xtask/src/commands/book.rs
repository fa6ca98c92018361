//! `book`: the pages of `docs/` as a book for a browser.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use super::{App, Ran, ends};
use crate::book::{Book, refuse_taken, show};
use crate::cli::PlanOptions;
use crate::exec::interrupt;

pub fn run(
    app: &App,
    port: Option<u16>,
    output: Option<&Path>,
    how: &PlanOptions,
) -> Result<Option<Value>> {
    let book = Book::of(&app.repo, output)?;
    let plan = book.plan(port);
    let waiting = || {
        app.ui
            .note("another command makes this book: waiting for it")
    };
    let _watch = interrupt::watch();
    let held = match how.dry_run {
        true => None,
        false => Some(book.hold(&waiting)?),
    };
    if let Some(port) = port.filter(|_| !how.dry_run) {
        // Said before anything takes minutes.
        refuse_taken(port)?;
    }
    // Whoever shows a book ends that with an interruption, as no step of a run may; for
    // a shell it is one more command.
    let chosen = plan
        .steps
        .iter()
        .map(|step| how.dry_run || step.name != "serve");
    let Ran::Done(outcome) = app.execute_some(&book, &plan, chosen.collect(), how)? else {
        return Ok(None);
    };
    let page = book.first_page();
    match port {
        None => {
            app.ui.say(format!("wrote {}", page.display()));
            app.ui.next("cargo xtask book --serve");
        }
        Some(port) => {
            let _watch = interrupt::watch();
            let url = format!("http://127.0.0.1:{port}/");
            show(&book.server(port), &url, || {
                // It is made, so others may make it again.
                drop(held);
                app.ui.event(&json!({"event": "serve", "url": url}));
                app.ui.say(format!("shown at {url} until Ctrl-C"));
            })?;
        }
    }
    Ok(Some(json!({"page": page, "steps": ends(&outcome)})))
}
