//! Commands of other programs in the documentation: each is one that a test runs, that
//! a dry run prints, or that only reads.

use super::documents;
use crate::support::pages::{Page, Typed};
use crate::support::repo::repository;

/// Pages of which a test runs what a reader on the local target types.
fn is_run(page: &Page) -> bool {
    let name = page.name.trim_start_matches("docs/");
    name.starts_with(|c: char| c.is_ascii_digit()) || name == "by-hand.md"
}

/// The simple commands of a line: what stands between pipes and the like, with its
/// assignments and redirections taken away.
fn simple(typed: &Typed) -> Vec<Vec<String>> {
    let text = typed.command.replace("\\\n", " ");
    let parts = text.split(['|', ';', '&']);
    let words = |part: &str| {
        let words = shlex::split(part).unwrap_or_default().into_iter();
        let assigned = |word: &String| {
            word.split_once('=')
                .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        };
        words
            .skip_while(assigned)
            .take_while(|word| !word.starts_with(['>', '<']))
            .collect::<Vec<String>>()
    };
    parts.map(words).filter(|words| !words.is_empty()).collect()
}

/// Elsewhere, a block that says nothing of itself holds commands of the workshop.
#[test]
fn what_nothing_runs_is_marked() {
    for page in documents().iter().filter(|page| !is_run(page)) {
        let blocks = page.blocks().into_iter();
        let open = blocks.filter(|block| block.kind.is_empty());
        for typed in open.flat_map(|block| block.commands) {
            let known = ["cargo xtask", "cargo test", "bash .ci/run", "echo $?"];
            assert!(
                known.iter().any(|known| typed.command.starts_with(known)),
                "{}:{}: no test runs {}; say `console aside`",
                page.name,
                typed.line,
                typed.command
            );
        }
    }
}

/// What a command changes on a cluster, a dry run changes in the same way.
#[test]
fn what_changes_a_cluster_is_what_a_dry_run_prints() {
    let mut printed = Vec::new();
    for name in [
        "plans-minikube.txt",
        "plans-cluster.txt",
        "cluster-charts.txt",
        "minikube-ingress.txt",
        "plans-reset-cluster.txt",
    ] {
        let path = repository().join("xtask/tests/snapshots").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        // Of a step that is shown a second time there are only the lines that differ.
        let lines = text
            .lines()
            .map(|line| line.strip_prefix("+ ").unwrap_or(line));
        printed.extend(lines.filter_map(shlex::split));
    }
    let mut seen = 0;
    // What changed since is about commands that are not typed any more.
    let now = |page: &Page| page.name != "docs/since-2022.md";
    for page in documents().into_iter().filter(now) {
        let typed = page.blocks().into_iter().flat_map(|block| block.commands);
        let mut all: Vec<Typed> = typed.collect();
        // The table of what can be done by hand.
        let quoted = page.text.lines().enumerate().flat_map(|(i, line)| {
            let cells = line
                .starts_with('|')
                .then(|| line.split('`').skip(1).step_by(2));
            cells.into_iter().flatten().map(move |command| Typed {
                line: i + 1,
                command: command.to_owned(),
                shown: Vec::new(),
            })
        });
        all.extend(quoted);
        for typed in all {
            for words in simple(&typed) {
                let [program, verb, ..] = words.as_slice() else {
                    continue;
                };
                let changes = match program.as_str() {
                    "kubectl" => ["apply", "delete"].contains(&verb.as_str()),
                    "helm" => ["upgrade", "pull", "uninstall"].contains(&verb.as_str()),
                    "minikube" => ["start", "addons"].contains(&verb.as_str()),
                    _ => false,
                };
                if !changes {
                    continue;
                }
                seen += 1;
                for words in one_file_each(&words) {
                    assert!(
                        printed.iter().any(|line| is_like(&words, line)),
                        "{}:{}: no dry run prints anything like {words:?}",
                        page.name,
                        typed.line
                    );
                }
            }
        }
    }
    assert!(seen >= 8, "the pages show {seen} such commands");
}

/// A `kubectl apply` of several files as several of one: a dry run waits in between.
/// What is deleted by its file is what was applied.
fn one_file_each(words: &[String]) -> Vec<Vec<String>> {
    let mut words = words.to_vec();
    if words.iter().any(|word| word.ends_with(".yml")) && words[1] == "delete" {
        words[1] = "apply".to_owned();
    }
    let (files, rest): (Vec<_>, Vec<_>) = words.iter().cloned().partition(|w| w.ends_with(".yml"));
    if rest[0] != "kubectl" || files.len() < 2 {
        return vec![words];
    }
    let with = |file: String| rest.iter().cloned().chain([file]).collect();
    files.into_iter().map(with).collect()
}

/// The Jobs are applied with an image and an account filled in, under another name.
const FILLED_IN: [&str; 2] = ["verify/job-sign.yml", "verify/job-verify.yml"];

/// Whether each word of a command is in a line that a dry run printed. Files are there
/// by their whole path, charts as the files that were fetched, and versions and places
/// as what stands for them.
fn is_like(words: &[String], line: &[String]) -> bool {
    let there = |word: &String| {
        let short = match word.as_str() {
            "-f" => "--filename",
            "VERSION" | "REPOSITORY" | "--repo" | "--version" => {
                return true;
            }
            other => other.trim_start_matches("../"),
        };
        if FILLED_IN.contains(&short) {
            return line.contains(&"apply".to_owned());
        }
        let is_version = short
            .chars()
            .all(|c| c.is_ascii_digit() || "v.".contains(c));
        let is_place = short.starts_with("https://") || short == "charts";
        is_version
            || is_place
            || line.iter().any(|printed| {
                printed == short
                    || printed.ends_with(&format!("/{short}"))
                    || printed.contains(&format!("/{short}-[VERSION]"))
            })
    };
    line.first() == words.first() && words.iter().all(there)
}
