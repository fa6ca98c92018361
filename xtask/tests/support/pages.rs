//! The pages of the documentation, and the commands in them.
//!
//! A command stands in a `console` block behind `$ `, with what it prints below it.
//! Behind `console`, the block may name one target, `local` or `cluster`, or say
//! `aside`: then nothing runs it.

use std::path::{Path, PathBuf};

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

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

    /// README and everything beside it and in `docs/`.
    pub fn all() -> Vec<Page> {
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

    /// The file itself.
    pub fn path(&self) -> PathBuf {
        repository().join(&self.name)
    }

    /// The `console` blocks.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut block: Option<Block> = None;
        // Inside a block of another kind nothing is a command.
        let mut other = false;
        for (i, line) in self.text.lines().enumerate() {
            let here = || format!("{}:{}", self.name, i + 1);
            match (line.trim_start().strip_prefix("```"), &mut block) {
                (Some(_), _) if block.is_some() => blocks.extend(block.take()),
                (Some(_), _) if other => other = false,
                (Some(info), _) => match info.trim().strip_prefix("console") {
                    Some(kind) => {
                        let kind = kind.trim().to_owned();
                        let known = ["", "local", "cluster", "aside"].contains(&kind.as_str());
                        assert!(known, "{}: a block of the kind {kind:?}", here());
                        let commands = Vec::new();
                        block = Some(Block { kind, commands });
                    }
                    None => other = true,
                },
                (None, Some(block)) => {
                    let line = line.trim_start();
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
                (None, None) => {}
            }
        }
        assert!(
            block.is_none() && !other,
            "{}: a block has no end",
            self.name
        );
        blocks
    }

    /// All commands, whatever the block.
    pub fn commands(&self) -> Vec<Typed> {
        let blocks = self.blocks().into_iter();
        blocks.flat_map(|block| block.commands).collect()
    }

    /// Those that a reader on the local target types.
    pub fn local(&self) -> Vec<Typed> {
        let blocks = self.blocks().into_iter();
        let local = blocks.filter(|block| ["", "local"].contains(&block.kind.as_str()));
        local.flat_map(|block| block.commands).collect()
    }
}
