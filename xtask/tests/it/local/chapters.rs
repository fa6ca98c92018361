//! The author's check: the commands of every chapter, typed in order as a reader on
//! the local target does, print what the page shows, and the check of a chapter fails
//! before them and holds after them. All of it runs where there is no network but
//! loopback.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::support::pages::{Page, Typed};
use crate::support::repo::repository;
use crate::support::run::{program, xtask};
use crate::support::skip::skipped;
use crate::support::unshared::unshared;
use crate::support::workshop::Workshop;
use xtask::local::build::ServerBuild;
use xtask::target::TargetKind;
use xtask::walkthrough::{self, Chapter};

fn quote(text: &str) -> String {
    shlex::try_quote(text).unwrap().into_owned()
}

/// A checkout of a reader's own: what the commands read is that of this one, what they
/// write is not.
struct Checkout {
    dir: tempfile::TempDir,
}

impl Checkout {
    fn new() -> Checkout {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "deploy",
            "verify",
            "docs",
            "img",
            "xtask",
            "README.md",
            "LICENSE",
        ] {
            std::os::unix::fs::symlink(repository().join(name), dir.path().join(name)).unwrap();
        }
        for name in ["out", "typed"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        Checkout { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A script in which one shell runs a list of commands, and keeps of each what it
    /// prints and its exit status. It ends where one does not end as it should.
    fn script(&self, id: &str, commands: &[(String, bool)]) -> String {
        let mut script = String::from("code=0\n");
        for (i, (text, refused)) in commands.iter().enumerate() {
            let file = self.path(&format!("typed/{id}-{i}"));
            std::fs::write(&file, text).unwrap();
            let out = self.path(&format!("out/{id}-{i}"));
            let as_expected = if *refused { "-ne" } else { "-eq" };
            // `$?` is that of the command before, as at a prompt.
            writeln!(
                script,
                "(exit $code)\n. {} >{out} 2>&1 </dev/null\ncode=$?\n[ $code {as_expected} 0 ] || {{ echo $code >{out}.code; exit 1; }}",
                file.display(),
                out = out.display(),
            )
            .unwrap();
        }
        script
    }

    fn printed(&self, id: &str, i: usize) -> Option<String> {
        let bytes = std::fs::read(self.path(&format!("out/{id}-{i}"))).ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        // Where the checkout and the servers are says nothing, and looks like a digest.
        let servers = ServerBuild::of(repository()).unwrap();
        let servers = servers.dir().file_name().unwrap().to_str().unwrap();
        let text = text.replace(&format!("/cache/servers/{servers}"), "");
        Some(text.replace(self.dir.path().to_str().unwrap(), ""))
    }
}

/// Whether the page shows that a command is refused, by us or by cosign.
fn is_refused(typed: &Typed) -> bool {
    let error = |line: &String| line.starts_with("error: ") || line.starts_with("Error: ");
    typed.shown.iter().any(error)
}

/// A line with what differs from run to run made equal: digests, numbers, times, and
/// how far it is indented.
fn normal(line: &str) -> String {
    let mut out = String::new();
    // The end of a line inside of JSON belongs to no word.
    let line = line.replace("\\n", "⏎");
    let mut rest = line.as_str();
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-');
        let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
        if end == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (token, after) = rest.split_at(end);
        rest = after;
        let any = |is: fn(&char) -> bool| token.chars().any(|c| is(&c));
        let hex = token.len() >= 8 && token.chars().all(|c| c.is_ascii_hexdigit());
        let mixed = any(char::is_ascii_uppercase) && any(char::is_ascii_lowercase);
        let encoded = token.len() >= 40 && (mixed || any(char::is_ascii_digit));
        if hex || encoded {
            out.push('H');
        } else {
            // Numbers inside: `10m`, `v3`, `2026-11-25T02`.
            let mut number = false;
            for c in token.chars() {
                if !c.is_ascii_digit() {
                    out.push(c);
                } else if !number {
                    out.push('0');
                }
                number = c.is_ascii_digit();
            }
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a line that a page shows is one that was printed; `…` stands for anything.
fn is_printed(shown: &str, printed: &[String]) -> bool {
    let wanted = normal(shown);
    let parts: Vec<&str> = wanted.split('…').collect();
    printed.iter().any(|line| {
        let mut rest = line.as_str();
        for (i, part) in parts.iter().enumerate() {
            let at = match rest.find(part.trim()) {
                Some(at) if i > 0 || at == 0 => at,
                _ => return false,
            };
            rest = &rest[at + part.trim().len()..];
        }
        rest.trim().is_empty() || wanted.ends_with('…')
    })
}

/// The lines that a page shows and that were not printed.
fn not_printed(typed: &Typed, printed: &str) -> Vec<String> {
    let printed: Vec<String> = printed.lines().map(normal).collect();
    let shown = typed.shown.iter().filter(|line| !line.trim().is_empty());
    shown
        .filter(|line| line.trim() != "…" && !is_printed(line, &printed))
        .cloned()
        .collect()
}

/// What a reader on the local target types.
fn typed_here(page: &Page) -> Vec<Typed> {
    let blocks = page.blocks().into_iter();
    let here = blocks.filter(|block| ["", "local"].contains(&block.kind.as_str()));
    here.flat_map(|block| block.commands).collect()
}

/// What a page has a reader type, in a shell of its own.
struct Run {
    id: String,
    page: Page,
    typed: Vec<Typed>,
}

impl Run {
    fn of(page: &str) -> Run {
        let page = Page::read(page);
        Run {
            id: Path::new(&page.name)
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned(),
            typed: typed_here(&page),
            page,
        }
    }

    fn commands(&self) -> Vec<(String, bool)> {
        let typed = self.typed.iter();
        typed
            .map(|typed| (typed.command.clone(), is_refused(typed)))
            .collect()
    }

    /// The faults: what did not end as it should, and what was not printed.
    fn faults(&self, checkout: &Checkout) -> Vec<String> {
        let mut faults = Vec::new();
        for (i, typed) in self.typed.iter().enumerate() {
            let here = format!("{}:{}: {}", self.page.name, typed.line, typed.command);
            let Some(printed) = checkout.printed(&self.id, i) else {
                faults.push(format!("{here}\n  was not reached"));
                continue;
            };
            let code = checkout.path(&format!("out/{}-{i}.code", self.id));
            if let Ok(code) = std::fs::read_to_string(code) {
                faults.push(format!("{here}\n  ended with {code}{printed}"));
            }
            let missing = not_printed(typed, &printed);
            if !missing.is_empty() {
                let missing = missing.join("\n    ");
                faults.push(format!(
                    "{here}\n  did not print\n    {missing}\n  but\n{printed}"
                ));
            }
        }
        faults
    }
}

#[test]
fn every_chapter_is_done_by_its_own_commands() {
    let inside = "ip link set lo up; exec \"$@\"";
    let Some(lonely) = unshared(&["--net"], inside) else {
        return;
    };
    for tool in ["bash", "curl", "jq", "openssl"] {
        if program(&[tool]).is_none() {
            return skipped(&format!("{tool}, which the chapters use"));
        }
    }
    // Whoever is the first of this machine fetches the modules, which the namespace
    // cannot.
    Workshop::installed(&[]);
    let checkout = Checkout::new();
    let chapters = walkthrough::all().unwrap();
    let to_do = |chapter: &&Chapter| !chapter.tasks(TargetKind::Local).is_empty();
    let todo: Vec<&Chapter> = chapters.iter().filter(to_do).collect();
    let mut script = String::new();
    let check = |name: &str, before: bool| (format!("cargo xtask check {name}"), before);
    let mut runs = Vec::new();
    let shell = |script: &mut String, id: &str, dir: &str, commands: &[(String, bool)]| {
        let file = checkout.path(&format!("typed/{id}.sh"));
        let inner = format!(
            "cd {dir} || exit 9\ncargo() {{ shift; {} \"$@\"; }}\n{}",
            quote(xtask()),
            checkout.script(id, commands)
        );
        std::fs::write(&file, inner).unwrap();
        writeln!(
            script,
            "[ -n \"$failed\" ] || bash {} || failed={id}",
            file.display()
        )
        .unwrap();
    };
    let root = quote(checkout.dir.path().to_str().unwrap());
    let play = quote(checkout.path("play").to_str().unwrap());
    for chapter in &todo {
        let run = Run::of(&format!("docs/{}", chapter.page));
        // The first makes the directory in which the others are typed.
        let dir = if chapter.number == 1 { &root } else { &play };
        let before = format!("before-{}", run.id);
        shell(&mut script, &before, dir, &[check(&chapter.name, true)]);
        shell(&mut script, &run.id, dir, &run.commands());
        let after = format!("after-{}", run.id);
        shell(&mut script, &after, dir, &[check(&chapter.name, false)]);
        runs.push(run);
    }
    let by_hand = Run::of("docs/by-hand.md");
    shell(&mut script, &by_hand.id, &play, &by_hand.commands());
    runs.push(by_hand);
    let xtask = quote(xtask());
    // Servers live in the namespace, so they are stopped in it as well.
    writeln!(
        script,
        "cd {root}; {xtask} uninstall --yes >&2 || exit 8\n[ -z \"$failed\" ] || {{ echo \"$failed\"; exit 1; }}"
    )
    .unwrap();
    let driver = checkout.path("typed/driver.sh");
    std::fs::write(&driver, script).unwrap();
    let set = |name: &str, path: &str| format!("{name}={}", checkout.path(path).display());
    let ended = lonely(&[
        "env",
        "--unset=WORKSHOP_STATE",
        "--unset=WORKSHOP_ON",
        "NO_COLOR=1",
        &set("CARGO_MANIFEST_DIR", "xtask"),
        &set("WORKSHOP_CACHE", "cache"),
        "bash",
        driver.to_str().unwrap(),
    ]);
    let faults: Vec<String> = runs.iter().flat_map(|run| run.faults(&checkout)).collect();
    let reached = faults
        .iter()
        .filter(|fault| !fault.ends_with("was not reached"));
    let reached: Vec<&String> = reached.collect();
    let failed = ended.out.trim();
    let checked = checkout.printed(failed, 0).unwrap_or_default();
    assert!(
        ended.exit == 0 && faults.is_empty(),
        "{failed}\n{checked}\n{}\n{}",
        reached
            .iter()
            .map(|fault| format!("{fault}\n"))
            .collect::<String>(),
        ended.err
    );
}

#[test]
fn what_differs_from_run_to_run_is_made_equal() {
    let shown = |line: &str, printed: &str| is_printed(line, &[normal(printed)]);
    assert!(shown(
        "  log     Rekor v2, index 4",
        "  log     Rekor v2, index 17"
    ));
    assert!(shown("sha256:30edf7835ab13abe", "sha256:99cdf7835ab13a00"));
    assert!(shown("at 2026-11-23T11:18:34Z", "at 2027-01-01T00:00:00Z"));
    assert!(shown("✓ entry  …", "✓ entry        it holds this"));
    assert!(shown("a … c", "a b c"));
    assert!(!shown("a … c", "a b d"));
    assert!(!shown("signed by alice", "signed by bob"));
    assert!(!shown("alice", "signed by alice"));
    assert!(!shown("signed", "signed by alice"));
}

/// The table of the chapters and the pages say the same.
#[test]
fn the_pages_are_those_of_the_table() {
    for chapter in walkthrough::all().unwrap() {
        let page = Page::read(&format!("docs/{}", chapter.page));
        let mut lines = page.text.lines().filter(|line| !line.is_empty());
        let heading = format!("# {}. {}", chapter.number, chapter.title);
        assert_eq!(lines.next(), Some(heading.as_str()), "{}", page.name);
        let minutes = chapter.minutes;
        let minutes = match chapter.tasks(TargetKind::Local).is_empty() {
            true => format!("*{minutes} minutes. Only to read.*"),
            false => format!(
                "*{minutes} minutes. Check: `cargo xtask check {}`*",
                chapter.name
            ),
        };
        assert_eq!(lines.next(), Some(minutes.as_str()), "{}", page.name);
        let questions = page.text.split("\n## Questions\n").nth(1);
        let questions = questions.unwrap_or_else(|| panic!("{}: no questions", page.name));
        assert_eq!(questions.matches("<details>").count(), 3, "{}", page.name);
    }
}
