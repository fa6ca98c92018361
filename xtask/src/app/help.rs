//! What `--help` and `--version` say of the whole program: the commands in groups, and the
//! version of every component.

use clap::Command;

use super::repository;
use crate::cluster::component_pins;
use crate::local::pinned;
use crate::ui::wrapped;

/// A heading, and how many commands stand below it.
pub(crate) type Group = (&'static str, usize);

/// How wide a help is at most.
const WIDEST: usize = 100;

/// The program with its commands in groups; clap itself knows one list only.
pub(crate) fn grouped(command: Command, groups: &[Group]) -> Command {
    let terminal = console::Term::stdout();
    let columns = match terminal.is_term() {
        true => usize::from(terminal.size().1).min(WIDEST),
        false => WIDEST,
    };
    let names = command.get_subcommands().map(|one| one.get_name().len());
    let second = names.max().unwrap_or_default() + 4;
    let mut all = command.get_subcommands();
    let mut text = String::new();
    for (heading, count) in groups {
        text += &format!("{heading}:\n");
        for one in all.by_ref().take(*count).filter(|one| !one.is_hide_set()) {
            let about = one.get_about().map(ToString::to_string).unwrap_or_default();
            let row = format!("  {:width$}{about}", one.get_name(), width = second - 2);
            text += &format!("{}\n", wrapped(&row, columns, second));
        }
        text.push('\n');
    }
    drop(all);
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{text}Options:\n{{options}}{{after-help}}"
    ))
}

/// The program with a long version that names every component, where its repository is.
pub(crate) fn with_components(command: Command) -> Command {
    // Files are read for it, so only where somebody asks.
    if !std::env::args_os().any(|word| word == "--version") {
        return command;
    }
    let repo = repository::find().ok();
    let local = repo.as_deref().and_then(|repo| pinned(repo).ok());
    let cluster = repo.as_deref().and_then(|repo| component_pins(repo).ok());
    let mut text = env!("CARGO_PKG_VERSION").to_owned();
    for (heading, parts) in [("on this machine", local), ("charts of a cluster", cluster)] {
        let parts = parts.unwrap_or_default();
        let width = parts.iter().map(|(name, _)| name.len()).max();
        for (i, (name, version)) in parts.iter().enumerate() {
            if i == 0 {
                text += &format!("\n\n{heading}:");
            }
            text += &format!(
                "\n  {name:width$}  {version}",
                width = width.unwrap_or_default()
            );
        }
    }
    // Made once, for a process that ends with it.
    command.long_version(&*text.leak())
}
