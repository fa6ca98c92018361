//! Documentation cannot rot: every command in it is one, every link leads
//! somewhere.

use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};
use xtask::cli::Cli;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The documents, and what they say.
fn documents() -> Vec<(PathBuf, String)> {
    let mut files: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .iter()
        .map(|name| repository().join(name))
        .collect();
    let docs = std::fs::read_dir(repository().join("docs")).unwrap();
    files.extend(
        docs.map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "md")),
    );
    files.sort();
    files
        .into_iter()
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

/// The lines after a `$ ` in the console blocks of a document.
fn typed(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut console = false;
    for line in text.lines() {
        match line.trim_start().strip_prefix("```") {
            Some(kind) => console = !console && kind.trim() == "console",
            None if console => {
                lines.extend(line.trim_start().strip_prefix("$ ").map(str::to_owned))
            }
            None => {}
        }
    }
    lines
}

/// What is typed after `cargo xtask`, also inside `$(…)`.
fn xtask_words(line: &str) -> Option<Vec<String>> {
    let (_, rest) = line.split_once("cargo xtask")?;
    let end = rest.find([')', '|', '>', ';']).unwrap_or(rest.len());
    let rest = rest[..end].split(" &&").next().unwrap_or_default();
    Some(shlex::split(rest).unwrap_or_else(|| panic!("unbalanced quotes: {line}")))
}

fn parses(words: &[String]) -> Result<(), String> {
    use clap::error::ErrorKind::{DisplayHelp, DisplayVersion};
    let all = std::iter::once("cargo xtask".to_owned()).chain(words.iter().cloned());
    match Cli::try_parse_from(all) {
        Err(error) if !matches!(error.kind(), DisplayHelp | DisplayVersion) => {
            Err(error.to_string())
        }
        _ => Ok(()),
    }
}

#[test]
fn every_command_of_the_documents_parses() {
    let mut seen = 0;
    for (path, text) in documents() {
        for line in typed(&text) {
            if let Some(words) = xtask_words(&line) {
                seen += 1;
                parses(&words)
                    .unwrap_or_else(|error| panic!("{}: {line}\n{error}", path.display()));
            }
        }
    }
    assert!(seen >= 10, "the documents show {seen} commands");
}

/// Errors tell the user what to type, so what they name must exist.
#[test]
fn every_command_of_a_hint_exists() {
    let names: Vec<String> = Cli::command()
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    let mut seen = 0;
    for path in sources(&repository().join("xtask/src")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for rest in text.split("cargo xtask ").skip(1) {
            let word: String = rest
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '-')
                .collect();
            // Placeholders and the sentences of comments begin otherwise.
            if word.len() > 1 && !word.starts_with('-') {
                seen += 1;
                assert!(
                    names.contains(&word),
                    "{}: cargo xtask {word}",
                    path.display()
                );
            }
        }
    }
    assert!(seen >= 20, "the sources name {seen} commands");
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn every_link_and_picture_is_there() {
    for (path, text) in documents() {
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if target.starts_with("https://") || target.starts_with('#') {
                continue;
            }
            let file = target.split('#').next().unwrap_or_default();
            let there = path.parent().unwrap().join(file).exists();
            assert!(there, "{}: {target}", path.display());
        }
    }
}

/// Every page is in the book, and the first page names it, both by its own title.
#[test]
fn the_book_has_every_page() {
    let read = |name: &str| {
        let file = repository().join("docs").join(name);
        std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let (summary, first) = (read("SUMMARY.md"), read("README.md"));
    for (path, text) in documents() {
        let name = path.file_name().unwrap().to_string_lossy();
        if !path.starts_with(repository().join("docs"))
            || ["SUMMARY.md", "README.md"].contains(&&*name)
        {
            continue;
        }
        let title = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# "))
            .unwrap();
        let link = format!("[{title}]({name})");
        assert!(summary.contains(&link), "docs/SUMMARY.md lacks {link}");
        assert!(first.contains(&link), "docs/README.md lacks {link}");
    }
}

#[test]
fn the_readme_names_every_verb() {
    let text = std::fs::read_to_string(repository().join("README.md")).unwrap();
    for command in Cli::command()
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
    {
        let name = command.get_name();
        assert!(
            text.contains(&format!("`{name}")) || text.contains(&format!("cargo xtask {name}")),
            "{name}"
        );
    }
}

#[test]
fn the_changelog_is_of_this_version() {
    let text = std::fs::read_to_string(repository().join("CHANGELOG.md")).unwrap();
    let newest = text
        .lines()
        .find_map(|line| line.strip_prefix("## "))
        .unwrap();
    let version = newest
        .trim_start_matches('[')
        .split([']', ' '])
        .next()
        .unwrap();
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
}

/// The same cosign signs here and in a cluster.
#[test]
fn both_targets_use_one_cosign() {
    let read = |name: &str| std::fs::read_to_string(repository().join(name)).unwrap();
    let go_mod = read("deploy/local/go.mod");
    let version = go_mod
        .lines()
        .find_map(|line| line.trim().strip_prefix("github.com/sigstore/cosign/v3 "))
        .and_then(|rest| rest.split_whitespace().next())
        .unwrap()
        .to_owned();
    for job in ["verify/job-sign.yml", "verify/job-verify.yml"] {
        let image = format!("/cosign:{version}@sha256:");
        assert!(
            read(job).contains(&image),
            "{job} uses another cosign than {version}"
        );
    }
}

/// The table of checks is what scripts are written from.
#[test]
fn the_json_page_has_every_check() {
    let text = std::fs::read_to_string(repository().join("docs/json.md")).unwrap();
    let head = "| name | that it holds means |\n|---|---|\n";
    let (_, table) = text.split_once(head).unwrap();
    let rows: Vec<&str> = table
        .lines()
        .take_while(|line| line.starts_with('|'))
        .collect();
    let names: Vec<String> = xtask::proof::NAMES
        .iter()
        .map(|(name, about)| format!("| `{name}` | {about} |"))
        .collect();
    assert_eq!(rows, names);
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

/// The table of the labs has them all, in their order.
#[test]
fn every_lab_is_in_its_page() {
    let page = std::fs::read_to_string(repository().join("docs/labs.md")).unwrap();
    let cells = |line: &str| -> Option<(String, String)> {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.trim_end_matches('`').to_owned();
        Some((name, cells.next()?.to_owned()))
    };
    let rows: Vec<(String, String)> = page.lines().filter_map(cells).collect();
    let labs: Vec<(String, String)> = xtask::labs::LABS
        .iter()
        .map(|lab| (lab.name.to_owned(), lab.title.to_owned()))
        .collect();
    assert_eq!(rows, labs);
}

/// What the page says of each lab is what the lab says, each sentence on a line: its
/// end is made of them.
#[test]
fn every_lab_is_told_in_its_page() {
    let page = std::fs::read_to_string(repository().join("docs/labs.md")).unwrap();
    let told: String = xtask::labs::LABS
        .iter()
        .map(|lab| {
            format!(
                "\n### `{}`\n\n{}\n\n**{}**\n\n<details><summary>What catches it</summary>\n\n{}\n\n</details>\n",
                lab.name,
                lab.story.join("\n"),
                lab.question,
                lab.answer.join("\n")
            )
            .replace(". ", ".\n")
        })
        .collect();
    let expected = format!("\n## Predict\n{told}");
    assert!(
        page.ends_with(&expected),
        "docs/labs.md should end with:\n{expected}"
    );
}
