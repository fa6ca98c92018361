//! `book`: the pages of `docs/` as a book for a browser.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use super::{App, Ran, ends};
use crate::book::{Book, listen};
use crate::cli::PlanOptions;
use crate::interrupt;

pub fn run(
    app: &App,
    port: Option<u16>,
    output: Option<&Path>,
    how: &PlanOptions,
) -> Result<Option<Value>> {
    let book = Book::of(&app.repo, output)?;
    // Whoever shows a book ends that with an interruption, as no step of a plan may; for
    // a shell it is one more command.
    let plan = book.plan(port.filter(|_| how.dry_run));
    let waiting = || {
        app.ui
            .note("another command makes this book: waiting for it")
    };
    let _watch = interrupt::watch();
    let held = match how.dry_run {
        true => None,
        false => Some(book.hold(&waiting)?),
    };
    // A port that is taken is said before anything takes minutes.
    let shown = match port {
        Some(port) if !how.dry_run => Some(listen(port)?),
        _ => None,
    };
    let Ran::Done(outcome) = app.execute(&book, &plan, how)? else {
        return Ok(None);
    };
    drop(held);
    let page = book.first_page();
    app.ui.say(format!("wrote {}", page.display()));
    match shown {
        None => app.ui.next("cargo xtask book --serve"),
        Some(shown) => {
            let _watch = interrupt::watch();
            let url = shown.url()?;
            app.ui.event(&json!({"event": "serve", "url": url}));
            app.ui.say(format!("shown at {url} until Ctrl-C"));
            shown.show(&book.html())?;
        }
    }
    Ok(Some(json!({"page": page, "steps": ends(&outcome)})))
}
