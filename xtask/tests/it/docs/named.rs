//! What the documentation names is there: headings, paths, commands in sentences,
//! options, versions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use xtask::commands::Cli;

use super::{documents, parses, sources, xtask_words};
use crate::support::pages::Page;
use crate::support::repo::repository;

/// What stands between backquotes in the sentences of a page, with its line.
fn quoted(page: &Page) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut block = false;
    for (i, line) in page.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            block = !block;
        } else if !block {
            let parts = line.split('`').skip(1).step_by(2);
            found.extend(parts.map(|part| (i + 1, part.to_owned())));
        }
    }
    found
}

/// The name under which a heading is linked, as GitHub and mdBook make it.
fn anchor(heading: &str) -> String {
    let lower = heading.trim().to_lowercase();
    let kept = lower.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        _ => Some(c).filter(|c| c.is_alphanumeric()),
    });
    kept.collect()
}

fn anchors(page: &Page) -> BTreeSet<String> {
    let mut block = false;
    let mut seen = BTreeMap::<String, usize>::new();
    let mut all = BTreeSet::new();
    for line in page.text.lines() {
        if line.trim_start().starts_with("```") {
            block = !block;
        }
        let heading = line.trim_start_matches('#');
        if block || heading == line || !heading.starts_with(' ') {
            continue;
        }
        let name = anchor(heading);
        let count = seen.entry(name.clone()).or_default();
        all.insert(match *count {
            0 => name,
            count => format!("{name}-{count}"),
        });
        *count += 1;
    }
    all
}

#[test]
fn every_heading_that_is_linked_is_there() {
    let mut seen = 0;
    for page in documents() {
        let links = page.text.split("](").skip(1);
        for target in links.filter_map(|rest| rest.split(')').next()) {
            let Some((file, heading)) = target.split_once('#') else {
                continue;
            };
            if file.contains("://") || !(file.is_empty() || file.ends_with(".md")) {
                continue;
            }
            let other = match file {
                "" => page.name.clone(),
                file => {
                    let dir = Path::new(&page.name).parent().unwrap();
                    let mut name = PathBuf::new();
                    for part in dir.join(file).components() {
                        match part {
                            std::path::Component::ParentDir => drop(name.pop()),
                            part => name.push(part),
                        }
                    }
                    name.to_str().unwrap().to_owned()
                }
            };
            seen += 1;
            let there = anchors(&Page::read(&other));
            assert!(
                there.contains(heading),
                "{}: {target} leads to none of {there:?}",
                page.name
            );
        }
    }
    assert!(seen >= 20, "the pages link {seen} headings");
}

/// A path of the repository, as a reader in its root or in `play/` names it.
#[test]
fn every_path_that_is_named_is_there() {
    const TOP: [&str; 7] = [
        "deploy/", "verify/", "docs/", "img/", "xtask/", ".ci/", ".cargo/",
    ];
    let mut seen = 0;
    for page in documents() {
        let typed = page.blocks().into_iter().flat_map(|block| block.commands);
        let typed = typed.flat_map(|typed| {
            let words = typed.command.split_whitespace().map(str::to_owned);
            words.map(|word| (typed.line, word)).collect::<Vec<_>>()
        });
        for (line, word) in quoted(&page).into_iter().chain(typed) {
            for word in word.split(|c: char| c.is_whitespace() || "'\"=,;()".contains(c)) {
                let path = word.trim_start_matches("../");
                let ours = TOP.iter().any(|top| path.starts_with(top));
                // Placeholders, patterns, and what a command makes.
                let made = ["docs/book"].iter().any(|made| path.starts_with(made));
                let open = path.contains(['*', '<', '>', '{', '$', '…', '@']) || made;
                if !ours || open {
                    continue;
                }
                seen += 1;
                assert!(
                    repository().join(path).exists(),
                    "{}:{line}: there is no {path}",
                    page.name
                );
            }
        }
    }
    assert!(seen >= 30, "the pages name {seen} paths");
}

#[test]
fn every_command_in_a_sentence_parses() {
    let mut seen = 0;
    for page in documents() {
        for (line, text) in quoted(&page) {
            // What stands for the words of a command, or for a number.
            if text.contains('…') || text.contains("COMMAND") {
                continue;
            }
            for mut words in xtask_words(&text) {
                if words.is_empty() {
                    continue;
                }
                let number = |word: &String| word.as_str() == "N";
                let numbers = words.iter_mut().filter(|word| number(word));
                numbers.for_each(|word| *word = "21000".to_owned());
                seen += 1;
                parses(&words).unwrap_or_else(|error| {
                    panic!("{}:{line}: {text}\n{error}", page.name);
                });
            }
        }
    }
    assert!(seen >= 20, "the sentences name {seen} commands");
}

/// Every long option of the command line.
fn options(command: &clap::Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter_map(|arg| arg.get_long());
    let mut all: BTreeSet<String> = own.map(|long| format!("--{long}")).collect();
    all.extend(["--help".to_owned(), "--version".to_owned()]);
    command
        .get_subcommands()
        .for_each(|sub| all.extend(options(sub)));
    all
}

/// Options that are named because they are not to be used, or are not any more.
const OF_OTHERS: [&str; 9] = [
    // Cargo's.
    "--test",
    "--fulcio-url",
    "--rekor-url",
    "--force",
    "--wait",
    "--insecure-ignore-tlog",
    "--insecure-ignore-sct",
    "--certificate-identity-regexp",
    "--certificate-oidc-issuer-regexp",
];

#[test]
fn every_option_that_is_named_exists() {
    let mut known = options(&Cli::command());
    known.extend(OF_OTHERS.map(str::to_owned));
    // Options of other programs: those with which the workshop itself calls them, and
    // those in commands that a test runs.
    let mut texts: Vec<String> = sources(&repository().join("xtask/tests/snapshots"))
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect();
    for file in [
        "deploy/local/servers.yml",
        "verify/job-sign.yml",
        "verify/job-verify.yml",
    ] {
        texts.push(std::fs::read_to_string(repository().join(file)).unwrap());
    }
    for page in documents() {
        let blocks = page.blocks().into_iter();
        let seen = blocks.filter(|block| block.kind != "aside");
        let commands = seen.flat_map(|block| block.commands);
        texts.extend(commands.map(|typed| typed.command));
    }
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
    for text in &texts {
        let words = text.split(word).filter(|word| word.starts_with("--"));
        known.extend(words.map(str::to_owned));
    }
    for page in documents() {
        for (line, text) in quoted(&page) {
            for option in text.split(word).filter(|word| word.starts_with("--")) {
                assert!(
                    option.len() < 3 || known.contains(option),
                    "{}:{line}: there is no option {option}",
                    page.name
                );
            }
        }
    }
}

/// Versions that are history, or that someone ran the workshop with.
const TRIED: [&str; 5] = ["3.19.5", "4.1.4", "1.35.4", "1.11.5", "0.13.1"];

#[test]
fn every_version_is_a_pin() {
    let mut pins = String::new();
    for dir in ["deploy", "verify"] {
        for path in sources(&repository().join(dir)) {
            let text = std::fs::read_to_string(path);
            pins += &text.unwrap_or_default();
        }
    }
    for file in [
        "Cargo.toml",
        "xtask/Cargo.toml",
        "xtask/tests/apiserver/go.mod",
        "xtask/tests/clients/go/go.mod",
        "xtask/tests/clients/java/pom.xml",
        "xtask/tests/clients/js/package.json",
        "xtask/tests/clients/rust/Cargo.toml",
    ] {
        pins += &std::fs::read_to_string(repository().join(file)).unwrap();
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.';
    for page in documents() {
        // These two are about other times.
        if ["CHANGELOG.md", "docs/since-2022.md"].contains(&page.name.as_str()) {
            continue;
        }
        for word in page.text.split(|c: char| !is_part(c)) {
            let version = word.trim_matches('.').trim_start_matches('v');
            let parts: Vec<&str> = version.split('.').collect();
            let numbers = parts.len() == 3
                && parts
                    .iter()
                    .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()));
            // Entries of a log have versions of their own.
            if !numbers || version.starts_with("0.0.") || TRIED.contains(&version) {
                continue;
            }
            assert!(
                pins.contains(version),
                "{}: {version} is pinned nowhere",
                page.name
            );
        }
    }
}

/// A page that names a test promises that something is tried.
#[test]
fn every_test_that_a_page_names_is_there() {
    let mut found = 0;
    for page in documents() {
        for (line, name) in quoted(&page) {
            let Some((module, test)) = name.rsplit_once("::") else {
                continue;
            };
            if !["cli::", "local::", "cluster::", "proofs::"]
                .iter()
                .any(|of| name.starts_with(of))
            {
                continue;
            }
            let file = format!("xtask/tests/it/{}.rs", module.replace("::", "/"));
            let text = std::fs::read_to_string(repository().join(&file)).unwrap_or_default();
            assert!(
                text.contains(&format!("#[test]\nfn {test}() {{")),
                "{}:{line}: {file} has no test {test}",
                page.name
            );
            found += 1;
        }
    }
    assert!(found > 10, "{found}");
}
