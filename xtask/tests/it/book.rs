//! The book as its readers have it: made by `cargo xtask book`, shown by `--serve`, and
//! read in a headless Chromium, every page and every link. The screenshots stay in
//! `target/tmp/browser/book` to be looked at. The first run of a machine installs mdBook.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::browser::{self, Browser};
use crate::support::pages::{Block, Page};
use crate::support::ports::free_port;
use crate::support::run::xtask;
use crate::support::skip::skipped;

/// What is looked at in every window; each other page in one.
const NAMED: [&str; 8] = [
    "index.html",
    "07-sign.html",
    "10-break-it.html",
    "local.html",
    "commands.html",
    "repository/index.html",
    "repository/deploy/scaffold-values.yml.html",
    "faulty.html",
];

/// A page with a fault of each kind that is looked for: without it, a script that looks
/// at nothing would find nothing either.
const FAULTY: &str = "<!DOCTYPE html><html><head><title>x</title></head><body>\
     <div class=\"content\"><p style=\"width:3000px;color:#ddd;background:#fff\">pale and wide</p></div>\
     <a href=\"gone.html\">to no page</a><a href=\"index.html#gone\">to no place</a>\
     <img src=\"missing.png\"/><img src=\"http://127.0.0.1:1/elsewhere.png\"/>\
     <pre><code class=\"language-console\">$ typed\nprinted</code></pre>\
     <script>console.log(\"said\")</script></body></html>";

/// `cargo xtask book --serve`, until it is dropped: Ctrl-C is how it ends, so that is
/// no failure.
struct Shown(Child);

impl Drop for Shown {
    fn drop(&mut self) {
        // One that ended by itself has said why.
        if !matches!(self.0.try_wait(), Ok(None)) {
            return;
        }
        kill_process(Pid::from_child(&self.0), Signal::INT).unwrap();
        let status = self.0.wait().unwrap();
        assert!(status.success() || std::thread::panicking(), "{status}");
    }
}

/// Makes the book in a directory and shows it; its address, or why there is none.
fn show(dir: &Path) -> Result<(Shown, String), String> {
    let port = free_port().to_string();
    let mut command = Command::new(xtask());
    command
        .args(["--json", "--state"])
        .arg(dir.join("state"))
        .args(["book", "--serve", "--port", &port, "--output"])
        .arg(dir.join("made"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut shown = Shown(command.spawn().unwrap());
    let mut last = json!(null);
    for line in BufReader::new(shown.0.stdout.take().unwrap()).lines() {
        last = serde_json::from_str(&line.unwrap()).unwrap();
        if last["event"] == "serve" {
            return Ok((shown, last["url"].as_str().unwrap().to_owned()));
        }
    }
    Err(last["error"].to_string())
}

/// What is typed in each block of commands of a page of the book that is one of `docs/`.
fn typed(page: &str) -> Option<Vec<String>> {
    let name = match page.strip_suffix(".html")? {
        "index" => "README",
        "files" | "faulty" => return None,
        name if name.contains('/') => return None,
        name => name,
    };
    let blocks = Page::read(&format!("docs/{name}.md")).blocks();
    let commands = |block: Block| {
        let all = block.commands.into_iter().map(|typed| typed.command);
        all.collect::<Vec<_>>().join("\n")
    };
    Some(blocks.into_iter().map(commands).collect())
}

/// A text without what stands before and after its lines.
fn plain(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().map(str::trim).collect();
    lines.join("\n")
}

/// What axe-core found that keeps someone from reading.
fn serious(look: &Value) -> Value {
    let all = look["violations"].as_array().unwrap().iter();
    all.filter(|one| one["impact"] == "serious" || one["impact"] == "critical")
        .cloned()
        .collect()
}

/// What is wrong with a page: what was looked for, and what was found.
fn faults(look: &Value) -> Vec<(&'static str, Value)> {
    let listed = |field: &str| look[field].as_array().cloned().unwrap_or_default();
    let typed = typed(look["page"].as_str().unwrap());
    let miscopied = |how: &str| -> Vec<Value> {
        let copied = listed("copied").into_iter().enumerate();
        let text = |one: &Value| plain(one[how].as_str().unwrap());
        let wrong = |i: usize, text: &str| match &typed {
            Some(typed) => typed.get(i).is_none_or(|typed| plain(typed) != text),
            None => text.contains("$ ") || text == "nothing",
        };
        let wrong = copied.filter(|(i, one)| wrong(*i, &text(one)));
        wrong.map(|(_, one)| one[how].clone()).collect()
    };
    let uncopied = match &typed {
        Some(typed) if look["copied"].is_array() => {
            typed.len().saturating_sub(listed("copied").len())
        }
        _ => 0,
    };
    let found = [
        ("links that lead nowhere", json!(listed("broken"))),
        ("pictures that are not there", json!(listed("blind"))),
        ("asked for elsewhere", json!(listed("asked"))),
        ("refused", json!(listed("refused"))),
        ("said by the browser", json!(listed("said"))),
        ("found by axe-core", serious(look)),
        ("copied by the button", json!(miscopied("clicked"))),
        ("copied of a selection", json!(miscopied("selected"))),
        ("blocks that nobody can copy", json!(vec![(); uncopied])),
        ("wider than its window", json!(listed("wide"))),
    ];
    found
        .into_iter()
        .filter(|(_, what)| *what != json!([]))
        .collect()
}

#[test]
fn the_book_is_for_every_window_and_everybody() {
    let Some(browser) = Browser::find("book") else {
        return;
    };
    let (shown, url) = match show(&browser.out) {
        Ok(shown) => shown,
        Err(why) if why.contains("the registry of Rust crates could not be reached") => {
            skipped(&why);
            return;
        }
        Err(why) => panic!("{why}"),
    };
    fs::write(browser.out.join("made/html/faulty.html"), FAULTY).unwrap();
    let mut look = browser.script("book.mjs");
    look.arg(&url).args(NAMED);
    let mut seen = browser::lines(look);

    let mut tried = seen.pop().unwrap();
    let choice = tried["choice"].take();
    let counts = |of: &str| [0, 1].map(|i| choice[of][i].as_u64().unwrap());
    let both = counts("both");
    assert!(both[0] > 0 && both[1] > 0, "{choice:#}");
    assert_eq!(counts("local"), [both[0], 0], "{choice:#}");
    let kept = counts("kept");
    assert!(kept[0] > 0 && kept[1] == 0, "{choice:#}");
    assert_eq!(serious(&choice), json!([]));
    let search = tried["search"].take();
    assert_eq!(search["none"], json!([]), "{search:#}");
    assert!(
        search["found"].as_array().unwrap().contains(&search["led"]),
        "{search:#}"
    );
    assert_ne!(search["marks"], json!(0), "{search:#}");
    assert_eq!(serious(&search), json!([]));

    let windows = NAMED.len() * 8;
    let pages = fs::read_to_string(browser.out.join("made/src/SUMMARY.md")).unwrap();
    let pages = pages.matches("](").count() + 1;
    assert_eq!(
        seen.len(),
        pages + windows,
        "a page that no link leads to, or an unlisted one"
    );
    let mut wrong = Vec::new();
    for look in &seen {
        let found = faults(look);
        if look["page"] != "faulty.html" {
            let at = json!([look["page"], look["width"], look["scheme"]]);
            wrong.extend(
                found
                    .iter()
                    .map(|(what, of)| format!("{at} {what}: {of:#}")),
            );
            continue;
        }
        // Links and blocks are tried once, in one window.
        let kinds = if look["copied"].is_array() { 9 } else { 6 };
        assert_eq!(found.len(), kinds, "a fault was overlooked: {found:#?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // Ctrl-C is how it ends, so that is no failure.
    let mut shown = shown;
    kill_process(Pid::from_child(&shown.0), Signal::INT).unwrap();
    assert!(shown.0.wait().unwrap().success());
}
