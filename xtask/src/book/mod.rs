//! The book: what mdBook makes of `docs/`, without anything that runs.

mod links;
mod pages;
mod serve;
mod steps;
mod terminal;

use std::path::{Path, PathBuf};

use anyhow::Result;
pub(crate) use serve::{refuse_taken, show};
pub(crate) use steps::BookStep;
pub(crate) use terminal::{PageLine, lines as page_lines};

use crate::cluster::pins::pins;
use crate::fail::{Fail, broken};
use crate::local::build::cache_dir;
use crate::plan::{Command, Plan, Ready, Step, StepEvent, StepRunner, StepValue, Total, step_args};
use crate::state::{self, Lock};
use crate::text::quote;
use crate::words;
use steps::Pages;

/// How many crates `cargo install` compiles for mdBook: the end of a bar.
const CRATES: u64 = 177;

/// The lock file of a directory in which a book is made. No other directory has one.
const LOCK: &str = ".book.lock";

/// A book that is made from one repository in one directory.
pub(crate) struct Book {
    repo: PathBuf,
    dir: PathBuf,
    version: String,
    /// Where this version of mdBook is installed.
    root: PathBuf,
}

impl Book {
    /// The book of a repository; `output` is another directory than the usual one.
    pub(crate) fn of(repo: &Path, output: Option<&Path>) -> Result<Book> {
        let dir = match output {
            Some(dir) => std::path::absolute(dir)?,
            None => repo.join("docs/book"),
        };
        let version = pins(repo, None)?.book.mdbook;
        // A home directory may be shared by machines of different kinds.
        let name = format!(
            "mdbook-{version}-{}-{}",
            std::env::consts::OS,
            std::env::consts::ARCH
        );
        Ok(Book {
            repo: repo.to_owned(),
            dir,
            version,
            root: cache_dir()?.join(name),
        })
    }

    /// The first page.
    pub(crate) fn first_page(&self) -> PathBuf {
        self.dir.join("html/index.html")
    }

    /// Locks the directory, so that no other command makes a book in it at the same time.
    pub(crate) fn hold(&self, waiting: &dyn Fn()) -> Result<Lock> {
        refuse(&self.dir)?;
        std::fs::create_dir_all(&self.dir)?;
        state::exclusive_or(&self.dir.join(LOCK), waiting)
    }

    /// The plan that makes the book or, where a port is named, shows it there: mdBook's
    /// server makes it as well.
    pub(crate) fn plan(&self, port: Option<u16>) -> Plan {
        let mdbook = self.root.join("bin/mdbook");
        let installed = {
            let mdbook = mdbook.clone();
            move || {
                let seen = || format!("{} is there", mdbook.display());
                Ok(mdbook.is_file().then(seen))
            }
        };
        let install = Command::new(words![
            "cargo",
            "install",
            "--locked",
            "--version",
            self.version.as_str(),
            "--no-default-features",
            "--features",
            "search,serve",
            "--root",
            self.root.as_path(),
            "mdbook"
        ]);
        let compiles = |line: &str| line.trim_start().starts_with("Compiling ");
        let title = format!("install mdBook {} (once; takes minutes)", self.version);
        // mdBook alone is left to Cargo, which locks what it is built from.
        let mut plan = Plan::new("book", Vec::new());
        plan.push(
            Step::new("mdbook", title)
                .done(installed)
                .run(install.progress(compiles, Total::Known(CRATES))),
        );
        plan.push(
            Step::new("pages", "gather the pages and the files that they name").xtask(Pages {
                output: self.dir.clone(),
            }),
        );
        let last = match port {
            None => Step::new("book", "make the book of them").run(Command::new(words![
                mdbook,
                "build",
                self.dir.as_path()
            ])),
            Some(port) => Step::new("serve", "make the book of them, and show it until Ctrl-C")
                .run(self.server(port)),
        };
        plan.push(last.needs(["mdbook", "pages"]));
        plan
    }

    /// What makes the book and shows it.
    pub(crate) fn server(&self, port: u16) -> Command {
        Command::new(words![
            self.root.join("bin/mdbook"),
            "serve",
            "--hostname",
            "127.0.0.1",
            "--port",
            port.to_string(),
            self.dir.as_path()
        ])
    }
}

impl StepRunner for Book {
    fn xtask(&self, words: &[String], report: &dyn Fn(StepEvent<'_>)) -> Result<StepValue> {
        step_args::parse::<BookStep>(words)?.run(&self.repo, report)
    }

    fn wait(&self, ready: &Ready, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        Err(broken(format!("no book waits for {ready:?}")).into())
    }
}

/// Gathers in a directory what mdBook is given: its configuration, the pages, and
/// the files that they name.
pub(crate) fn gather(repo: &Path, dir: &Path) -> Result<()> {
    refuse(dir)?;
    std::fs::create_dir_all(dir)?;
    let mut ours = std::fs::OpenOptions::new();
    ours.append(true).create(true).open(dir.join(LOCK))?;
    pages::gather(repo, dir)
}

/// Fails where a directory holds something else than a book: it would be lost.
fn refuse(dir: &Path) -> Result<(), Fail> {
    let holds_something = match std::fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => dir.exists(),
    };
    if holds_something && !dir.join(LOCK).is_file() {
        let name = dir.display();
        return Err(
            broken(format!("{name} is there and holds no book")).hint(format!(
                "name another: cargo xtask book --output {}",
                quote(&dir.join("book").to_string_lossy())
            )),
        );
    }
    Ok(())
}
