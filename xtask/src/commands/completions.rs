//! `completions`: what a shell needs to complete commands, and a man page.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::app::{Answer, App};

/// Print completions for a shell, or the man page
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xtask completions bash >~/.local/share/bash-completion/completions/xtask
  xtask completions zsh >~/.zfunc/_xtask
  xtask completions man >~/.local/share/man/man1/xtask.1

They are for the program `xtask`, as this installs it:
  cargo install --path xtask --features completions")]
pub(crate) struct CompletionsCommand {
    /// For whom
    #[arg(value_enum)]
    reader: Reader,
}

/// Who reads what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Reader {
    /// The shell bash
    Bash,
    /// The shell zsh
    Zsh,
    /// The shell fish
    Fish,
    /// The program man
    Man,
}

impl CompletionsCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let text = text(self.reader)?;
        app.ui.say(text.trim_end());
        Ok(Answer::printed())
    }
}

/// What writes them is compiled only where it is asked for: nobody needs it for a first run.
#[cfg(not(feature = "completions"))]
fn text(reader: Reader) -> Result<String> {
    let name = reader.to_possible_value();
    let name = name.map_or_else(String::new, |name| name.get_name().to_owned());
    Err(
        crate::fail::broken("this program was made without what writes completions")
            .hint(format!(
                "cargo run --package xtask --features completions -- completions {name}"
            ))
            .into(),
    )
}

#[cfg(feature = "completions")]
fn text(reader: Reader) -> Result<String> {
    use clap::CommandFactory;
    use clap_complete::Shell;

    let mut command = super::Cli::command().name("xtask").bin_name("xtask");
    let shell = match reader {
        Reader::Bash => Shell::Bash,
        Reader::Zsh => Shell::Zsh,
        Reader::Fish => Shell::Fish,
        Reader::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            return Ok(String::from_utf8(page)?);
        }
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "xtask", &mut script);
    Ok(String::from_utf8(script)?)
}
