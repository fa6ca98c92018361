//! Documentation cannot rot: every command in it is one, every link leads
//! somewhere.

mod named;

mod raw;

use std::path::{Path, PathBuf};

use crate::support::pages::Page;
use crate::support::repo::repository;
use clap::{CommandFactory, Parser};
use xtask::commands::Cli;

/// README and everything beside it and in `docs/`.
fn documents() -> Vec<Page> {
    let mut names: Vec<String> = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .map(str::to_owned)
        .to_vec();
    let docs = std::fs::read_dir(repository().join("docs")).unwrap();
    let files = docs.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut pages: Vec<String> = files.filter(|name| name.ends_with(".md")).collect();
    pages.sort();
    names.extend(pages.iter().map(|name| format!("docs/{name}")));
    names.iter().map(|name| Page::read(name)).collect()
}

/// What is typed after each `cargo xtask`, also inside `$(…)`.
fn xtask_words(command: &str) -> Vec<Vec<String>> {
    let command = command.replace("\\\n", " ");
    let words = |rest: &str| {
        let end = rest.find([')', '|', '>', ';', '<']).unwrap_or(rest.len());
        let rest = rest[..end].split(" &&").next().unwrap_or_default();
        shlex::split(rest).unwrap_or_else(|| panic!("unbalanced quotes: {command}"))
    };
    command.split("cargo xtask").skip(1).map(words).collect()
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
    for page in documents() {
        let commands = page.blocks().into_iter().flat_map(|block| block.commands);
        for typed in commands {
            for words in xtask_words(&typed.command) {
                seen += 1;
                parses(&words).unwrap_or_else(|error| {
                    panic!("{}:{}: {words:?}\n{error}", page.name, typed.line)
                });
            }
        }
    }
    assert!(seen >= 10, "the documents show {seen} commands");
}

/// Whose ports are others' can type the pages as well: `env` names the addresses.
#[test]
fn no_command_holds_a_port_that_env_names() {
    for page in documents() {
        for typed in page.blocks().into_iter().flat_map(|block| block.commands) {
            let mut after = typed.command.split("127.0.0.1:17").skip(1);
            let port = after.find(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            assert!(
                port.is_none(),
                "{}:{}: {}",
                page.name,
                typed.line,
                typed.command
            );
        }
    }
}

/// What `--help` gives as examples can be typed.
#[test]
fn every_example_of_a_help_parses() {
    let program = Cli::command();
    let all = program.get_subcommands().chain([&program]);
    let examples = all.filter_map(|command| command.get_after_help());
    let mut seen = 0;
    for line in examples.flat_map(|text| {
        text.to_string()
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    }) {
        // Behind two spaces stands what it does.
        let typed = line.trim_start().split("  ").next().unwrap_or_default();
        for words in xtask_words(typed) {
            seen += 1;
            parses(&words).unwrap_or_else(|error| panic!("{words:?}\n{error}"));
        }
    }
    assert!(seen >= 10, "the helps show {seen} examples");
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
    for page in documents() {
        for target in page
            .text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if target.starts_with("https://") || target.starts_with('#') {
                continue;
            }
            let file = target.split('#').next().unwrap_or_default();
            let page_dir = Path::new(&page.name).parent().unwrap();
            let there = repository().join(page_dir).join(file).exists();
            assert!(there, "{}: {target}", page.name);
        }
    }
}

/// Every page is in the book, and the first page names it, both by its own title.
#[test]
fn the_book_has_every_page() {
    let lists = ["docs/SUMMARY.md", "docs/README.md"].map(Page::read);
    let listed = |page: &Page| lists.iter().any(|list| list.name == page.name);
    for page in documents().iter().filter(|page| !listed(page)) {
        let Some(file) = page.name.strip_prefix("docs/") else {
            continue;
        };
        let title = page.text.lines().next().unwrap().trim_start_matches("# ");
        let link = format!("[{title}]({file})");
        for list in &lists {
            assert!(list.text.contains(&link), "{} lacks {link}", list.name);
        }
    }
}

#[test]
fn the_list_of_commands_names_every_verb() {
    let text = std::fs::read_to_string(repository().join("docs/use.md")).unwrap();
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
    let names: Vec<String> = xtask::proof::Link::ALL
        .iter()
        .map(|link| format!("| `{link}` | {} |", link.about()))
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

/// A row of an agenda: when it begins and how long it takes, in minutes, and the
/// chapter, which is empty for a break.
fn agenda_row(line: &str) -> Option<(u32, u32, String)> {
    let mut cells = line.strip_prefix("| ")?.split('|').map(str::trim);
    let (hours, minutes) = cells.next()?.split_once(':')?;
    let from = hours.parse::<u32>().ok()? * 60 + minutes.parse::<u32>().ok()?;
    let takes = cells.next()?.parse().ok()?;
    Some((from, takes, cells.next()?.trim_matches('`').to_owned()))
}

/// The agendas of the page for teachers have no gaps, and a day gives each chapter its
/// minutes.
#[test]
fn the_agendas_add_up() {
    let page = std::fs::read_to_string(repository().join("docs/teaching.md")).unwrap();
    let agenda = |heading: &str| -> Vec<(u32, u32, String)> {
        let (_, rest) = page.split_once(heading).unwrap();
        let (section, _) = rest.split_once("\n## ").unwrap();
        let rows: Vec<_> = section.lines().filter_map(agenda_row).collect();
        for (row, next) in rows.iter().zip(&rows[1..]) {
            assert_eq!(row.0 + row.1, next.0, "{heading}: after {row:?}");
        }
        rows
    };
    let short = agenda("\n## Ninety minutes\n");
    assert_eq!(short.iter().map(|row| row.1).sum::<u32>(), 90);
    let chapters = xtask::walkthrough::all().unwrap();
    let known = |name: &String| chapters.iter().any(|chapter| chapter.name == *name);
    assert!(short.iter().all(|row| known(&row.2)), "{short:?}");

    let day = agenda("\n## A day\n").into_iter();
    let day: Vec<_> = day
        .filter(|row| !row.2.is_empty())
        .map(|row| (row.2, row.1))
        .collect();
    let minutes = chapters
        .iter()
        .map(|chapter| (chapter.name.clone(), chapter.minutes));
    assert_eq!(day, minutes.collect::<Vec<_>>());

    let (_, questions) = page
        .split_once("| chapter | question |\n|---|---|\n")
        .unwrap();
    let rows = questions.lines().map_while(|line| line.strip_prefix("| `"));
    let asked: Vec<_> = rows.filter_map(|row| row.split('`').next()).collect();
    let names: Vec<_> = chapters
        .iter()
        .map(|chapter| chapter.name.as_str())
        .collect();
    assert_eq!(asked, names);
}
