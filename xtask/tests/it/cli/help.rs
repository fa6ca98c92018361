//! What `--help` says: of commands as the page `docs/commands.md`, of steps as a
//! snapshot.

use clap::CommandFactory;

use crate::support::repo::repository;
use crate::support::snapshot::{compare, snapshot};
use crate::support::world::World;

const HEAD: &str = "# The commands

Every command is `cargo xtask COMMAND`.
This page is what `cargo xtask COMMAND --help` says of each, except for the options that all of them have: those are [at the top](#all-commands) only.

It is made of the program: a test compares the two, and `SNAPSHOTS=overwrite cargo test --test it every_help` rewrites the page.
";

/// The names of a command and of all below it, hidden ones too.
fn names(command: &clap::Command, above: &[String]) -> Vec<Vec<String>> {
    let below = command.get_subcommands().flat_map(|sub| {
        let path = [above, &[sub.get_name().to_owned()]].concat();
        names(sub, &path)
    });
    std::iter::once(above.to_vec()).chain(below).collect()
}

/// A help in pieces: each option with what is said of it, and what stands between
/// options.
fn pieces(help: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for line in help.lines() {
        let text = line.trim_start();
        let option = text.starts_with('-') && line.len() - text.len() <= 6;
        let heading = !text.is_empty() && text.len() == line.len();
        if option || heading || pieces.is_empty() {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            *piece += &format!("{line}\n");
        }
    }
    pieces
}

fn is_option(piece: &str) -> bool {
    piece.trim_start().starts_with('-')
}

/// A help without the options that another one has, and without headings below which
/// nothing is left.
fn without(help: &str, common: &str) -> String {
    let common = pieces(common);
    let common: Vec<&str> = common.iter().map(|piece| piece.trim_end()).collect();
    let is_common = |piece: &String| {
        is_option(piece)
            && (common.contains(&piece.trim_end()) || piece.trim_start().starts_with("-h, --help"))
    };
    let kept: Vec<String> = pieces(help)
        .into_iter()
        .filter(|piece| !is_common(piece))
        .collect();
    let mut out = String::new();
    for (i, piece) in kept.iter().enumerate() {
        let next = kept.get(i + 1).is_some_and(|next| is_option(next));
        let heading = piece.trim_end().ends_with(':') && piece.trim_end().lines().count() == 1;
        if !heading || next {
            out += piece;
        }
    }
    out
}

#[test]
fn every_help() {
    let world = World::new();
    let help = |path: &[String]| {
        let mut command = world.bare();
        command.args(path).arg("--help");
        world.end(command).ok().out
    };
    let all = help(&[]);
    let mut page = format!(
        "{HEAD}\n## All commands\n\n```text\n{}\n```\n",
        all.trim_end()
    );
    for path in names(&xtask::commands::Cli::command(), &[])
        .into_iter()
        .skip(1)
    {
        if path[0] == "step" {
            continue;
        }
        let help = without(&help(&path), &all);
        page += &format!(
            "\n## `{}`\n\n```text\n{}\n```\n",
            path.join(" "),
            help.trim_end()
        );
    }
    compare(&repository().join("docs/commands.md"), &page);
}

#[test]
fn steps_have_help_too() {
    let world = World::new();
    let lines = [
        "--on local step --help",
        "--on minikube step --help",
        "step launch --help",
        "step pages --help",
        "step",
        "step pony",
    ];
    snapshot("help.txt", &world.show(&lines));
}

/// What is left out of the page is what all have, and nothing else.
#[test]
fn only_what_all_have_is_left_out() {
    let all = "About\n\nUsage: x\n\nOptions:\n      --json\n          Print JSON\n\n          Possible values:\n          - a: b\n\n  -h, --help\n          Print help\n";
    let one = "About\n\nUsage: x [NAME]\n\nArguments:\n  [NAME]\n          Whose\n\nOptions:\n      --json\n          Print JSON\n\n          Possible values:\n          - a: b\n\n      --only\n          Mine\n\n  -h, --help\n          Print help (see more)\n\nOthers:\n      --json\n          Print another JSON\n";
    assert_eq!(
        without(one, all),
        "About\n\nUsage: x [NAME]\n\nArguments:\n  [NAME]\n          Whose\n\nOptions:\n      --only\n          Mine\n\nOthers:\n      --json\n          Print another JSON\n"
    );
    assert_eq!(without(all, all), "About\n\nUsage: x\n\n");
}
