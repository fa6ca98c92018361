//! `step shard`: a log begins a new shard.

use anyhow::Result;
use clap::Args;

use crate::local::manifest::{ServerRow, TreeRow};
use crate::local::{Local, shards};
use crate::plan::{Command, Step, StepArgs, StepEvent, Word};
use crate::words;

/// Begin a new shard of a log
#[derive(Debug, PartialEq, Args)]
pub(crate) struct Shard {
    /// `ctlog` or `rekor-v1`.
    pub(crate) log: String,
    /// The tree that Trillian made for it.
    #[arg(long)]
    pub(crate) tree: Word,
}

impl StepArgs for Shard {
    const NAME: &'static str = "shard";

    fn arguments(&self) -> Vec<Word> {
        let mut words = words![&self.log, "--tree"];
        words.push(self.tree.clone());
        words
    }
}

impl Shard {
    /// It is done where the Trillian that runs holds a shard of the log.
    pub(crate) fn step(local: &Local, server: &ServerRow, tree: &TreeRow) -> Result<Step> {
        let (dir, log) = (local.dir.clone(), server.name.clone());
        let trillian = local.manifest.server(&tree.held_by)?;
        let admin = format!("--admin_server={}", local.address(&trillian.port)?);
        let create = words![
            local.build.program("createtree"),
            admin,
            format!("--display_name={log}")
        ];
        let held_by = trillian.name.clone();
        let open = Shard {
            log: log.clone(),
            tree: Word::output(&tree.variable),
        };
        Ok(Step::new(
            format!("{log}-shard"),
            format!("make a tree and a key for {}", server.title),
        )
        .needs(["configure", &trillian.name])
        .done(move || {
            let shard = shards::current(&dir, &log, &held_by)?;
            Ok(shard.map(|shard| format!("shard {} holds it", shard.number)))
        })
        .run(Command::new(create).output(&tree.variable))
        .xtask(open))
    }

    pub(crate) fn run(self, local: &Local, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        shards::open(local, &self.log, &self.tree.text()?)
    }
}
