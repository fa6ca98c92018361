//! The pages of the documentation, and the commands in them.
//!
//! A command stands in a `console` block behind `$ `, with what it prints below it.
//! Behind `console`, the block may name one target, `local` or `cluster`, or say
//! `aside`: then nothing runs it.

use super::repo::repository;

/// A page.
pub struct Page {
    /// Below the repository: `docs/07-sign.md`.
    pub name: String,
    pub text: String,
}

/// A command as it is typed, and what the page shows of its output.
#[derive(Debug, Clone)]
pub struct Typed {
    /// The line of the page.
    pub line: usize,
    pub command: String,
    pub shown: Vec<String>,
}

/// A block of commands.
#[derive(Debug, Clone)]
pub struct Block {
    /// What stands behind `console`.
    pub kind: String,
    pub commands: Vec<Typed>,
}

impl Page {
    pub fn read(name: &str) -> Page {
        let text = std::fs::read_to_string(repository().join(name));
        Page {
            name: name.to_owned(),
            text: text.unwrap_or_else(|error| panic!("{name}: {error}")),
        }
    }

    /// The `console` blocks.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut block: Option<Block> = None;
        // Inside a block of another kind nothing is a command.
        let mut other = false;
        for (i, line) in self.text.lines().enumerate() {
            let here = || format!("{}:{}", self.name, i + 1);
            let line = line.trim_start();
            if let Some(info) = line.strip_prefix("```") {
                let console = info.trim().strip_prefix("console");
                if let Some(ended) = block.take() {
                    blocks.push(ended);
                } else if other {
                    other = false;
                } else if let Some(kind) = console.map(str::trim) {
                    let known = ["", "local", "cluster", "aside"].contains(&kind);
                    assert!(known, "{}: a block of the kind {kind:?}", here());
                    block = Some(Block {
                        kind: kind.to_owned(),
                        commands: Vec::new(),
                    });
                } else {
                    other = true;
                }
                continue;
            }
            let Some(block) = &mut block else { continue };
            if let Some(command) = line.strip_prefix("$ ") {
                block.commands.push(Typed {
                    line: i + 1,
                    command: command.to_owned(),
                    shown: Vec::new(),
                });
                continue;
            }
            let last = block.commands.last_mut();
            let last = last.unwrap_or_else(|| panic!("{}: output of nothing", here()));
            if last.shown.is_empty() && last.command.ends_with('\\') {
                last.command += "\n";
                last.command += line;
            } else {
                last.shown.push(line.to_owned());
            }
        }
        assert!(
            block.is_none() && !other,
            "{}: a block has no end",
            self.name
        );
        blocks
    }
}
