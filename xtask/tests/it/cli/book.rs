//! `book` with a fake Cargo and a fake mdBook.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use serde_json::json;
use snapbox::{assert_data_eq, str};

use crate::support::snapshot::{each_step_once, replaced_after, snapshot};
use crate::support::world::World;

/// A Cargo that installs a fake mdBook.
const CARGO: &str = r#"
while [ "$1" != --root ]; do shift; done
mkdir -p "$2/bin"
ln -s "$FAKES/program" "$2/bin/mdbook"
echo "   Compiling one v1.0.0" >&2
"#;

/// An mdBook whose pages are empty.
const MDBOOK: &str = r#"
[ "$1" = build ] || exit 0
mkdir -p "$2/html"
echo page >"$2/html/index.html"
"#;

fn world() -> World {
    let world = World::on_free_ports();
    world.add_program("cargo", CARGO);
    world.fake("mdbook", MDBOOK);
    world
}

/// What is the same for every version of mdBook and every machine.
fn redacted(text: &str) -> String {
    let version = "0123456789.";
    let name = "0123456789.abcdefghijklmnopqrstuvwxyz_-";
    let text = replaced_after("/mdbook-", name, "[VERSION]", text);
    let text = replaced_after("mdBook ", version, "[VERSION]", &text);
    let text = replaced_after("--version ", version, "[VERSION]", &text);
    replaced_after("'--version' '", version, "[VERSION]", &text)
}

#[test]
fn dry_runs() {
    let world = world();
    let seen = world.show(&[
        "book --dry-run",
        "book --from pages --output 'a book' --dry-run",
        "book --serve --dry-run",
    ]);
    snapshot("plans-book.txt", &each_step_once(&redacted(&seen)));
    assert_eq!(world.calls(), "");
}

#[test]
fn mdbook_is_installed_once_and_given_the_pages() {
    let world = world();
    let first = world.run("book -q --output out").ok();
    assert_eq!(first.out, "wrote [TEMP]/work/out/html/index.html\n");
    assert_data_eq!(
        redacted(&world.forget_calls()),
        str![[r#"
in [TEMP]/work: [TEMP]/bin/cargo 'install' '--locked' '--version' '[VERSION]' '--no-default-features' '--features' 'search,serve' '--root' '[TEMP]/cache/mdbook-[VERSION]' 'mdbook'
in [TEMP]/work: [TEMP]/cache/mdbook-[VERSION]/bin/mdbook 'build' '[TEMP]/work/out'

"#]]
    );
    let out = world.path("work/out");
    assert!(out.join("src/SUMMARY.md").is_file() && out.join("book.toml").is_file());

    fs::write(out.join("src/old.md"), "an old page").unwrap();
    let events = world.run("book --json --output out").ok().events();
    let page = world.path("work/out/html/index.html");
    assert_eq!(
        events.last().unwrap()["steps"],
        json!({"mdbook": "skipped", "pages": "done", "book": "done"})
    );
    assert_eq!(
        events.last().unwrap()["page"],
        json!(world.redact(page.to_str().unwrap()))
    );
    assert!(!out.join("src/old.md").exists());
    assert_eq!(world.calls().lines().count(), 1);
}

#[test]
fn what_a_book_is_refused_for() {
    let world = world();
    let held = TcpListener::bind((Ipv4Addr::LOCALHOST, world.base)).unwrap();
    // A book of someone else would be lost as well.
    world.write("work/mine/src/SUMMARY.md", "not this book");
    world.write("work/file", "not a directory");
    let taken = format!("book -q --serve --port {} --output out", world.base);
    assert_data_eq!(
        world.show(&[
            "book -q --output mine",
            "book -q --output file",
            "step pages --output mine",
            &taken,
            "book --port 20000",
        ]),
        str![[r#"
$ cargo xtask book -q --output mine
error: [TEMP]/work/mine is there and holds no book
hint: name another: cargo xtask --state [STATE] book --output [TEMP]/work/mine/book
exit 2

$ cargo xtask book -q --output file
error: [TEMP]/work/file is there and holds no book
hint: name another: cargo xtask --state [STATE] book --output [TEMP]/work/file/book
exit 2

$ cargo xtask step pages --output mine
error: mine is there and holds no book
hint: name another: cargo xtask --state [STATE] book --output mine/book
exit 2

$ cargo xtask book -q --serve --port [PORT+0] --output out
error: port [PORT+0] on 127.0.0.1 is taken (Address already in use [..])
hint: name another: cargo xtask --state [STATE] book --serve --port N
exit 2

$ cargo xtask book --port 20000
[REFUSED: no --serve]
exit 2

"#]]
    );
    drop(held);
    assert_eq!(
        world.calls(),
        "",
        "nothing is installed for what is refused"
    );
    assert!(world.path("work/mine/src/SUMMARY.md").is_file());
}

#[test]
fn cargo_cannot_reach_its_registry() {
    let world = world();
    world.fake(
        "cargo",
        r#"
        echo "    Updating crates.io index" >&2
        echo "warning: spurious network error (1 try remaining): [6] Could not resolve hostname (Could not resolve host: index.crates.io)" >&2
        echo "error: download of config.json failed" >&2
        exit 101"#,
    );
    assert_data_eq!(
        world.show(&["book -q --output out"]),
        str![[r#"
$ cargo xtask book -q --output out
error: the registry of Rust crates could not be reached
hint: mdBook is built from crates: connect to the internet once, or name a mirror in Cargo's configuration
exit 2

"#]]
    );
}

/// A server that ends by itself is a failure; what one is that is interrupted, the test
/// in a browser shows.
#[test]
fn the_server_of_a_book_ends() {
    let world = world();
    let line = format!("book -q --serve --port {} --output out", world.base);
    assert_data_eq!(
        world.show(&[&line]),
        str![[r#"
$ cargo xtask book -q --serve --port [PORT+0] --output out
error: mdBook has stopped showing the book
exit 2

"#]]
    );
    let calls = redacted(&world.calls());
    let call = calls.lines().last().unwrap();
    assert_data_eq!(
        call,
        "in [TEMP]/work: [TEMP]/cache/mdbook-[VERSION]/bin/mdbook 'serve' '--hostname' '127.0.0.1' '--port' '[PORT+0]' '[TEMP]/work/out'"
    );
}
