//! `step list-pack` and `step take-pack`: the servers go into one archive, and come out of it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use crate::local::Local;
use crate::local::pack::{self, LIST, PackList};
use crate::plan::{Command, Step, StepArgs, StepEvent, Word};
use crate::words;

/// Write the list of the built servers, with their digests
#[derive(Debug, PartialEq, Args)]
pub(crate) struct ListPack {
    /// The directory that it goes into.
    pub(crate) dir: PathBuf,
}

impl StepArgs for ListPack {
    const NAME: &'static str = "list-pack";

    fn arguments(&self) -> Vec<Word> {
        words![self.dir.as_path()]
    }
}

impl ListPack {
    /// Packs the built servers into an archive, which is there once it is whole.
    pub(crate) fn step(local: &Local, archive: &Path) -> Step {
        let build = &local.build;
        let listed = PathBuf::from(format!("{}.pack", build.dir().display()));
        let mut partial = archive.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let all = build.dir().parent().unwrap_or(build.dir());
        let mut tar = words!["tar", "-chzf", partial.as_path()];
        tar.extend(words!["-C", listed.as_path(), LIST, "-C", all]);
        let files = build.files().into_iter();
        tar.extend(files.map(|file| Word::from(format!("{}/{file}", build.name()).as_str())));
        Step::new("pack", "pack the servers into one archive")
            .needs(["servers"])
            .xtask(ListPack {
                dir: listed.clone(),
            })
            .run(Command::new(tar))
            .run(Command::new(words!["mv", partial, archive]))
            .run(Command::new(words!["rm", "-rf", listed]))
    }

    pub(crate) fn run(self, local: &Local, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        PackList::of(&local.build)?.write(&self.dir)
    }
}

/// Check what was unpacked, and put it in place
#[derive(Debug, PartialEq, Args)]
pub(crate) struct TakePack {
    /// Where it was unpacked; the directory is gone afterwards.
    pub(crate) dir: PathBuf,
}

impl StepArgs for TakePack {
    const NAME: &'static str = "take-pack";

    fn arguments(&self) -> Vec<Word> {
        words![self.dir.as_path()]
    }
}

impl TakePack {
    /// Takes the servers out of an archive, where they are not built.
    pub(crate) fn step(local: &Local, archive: &Path) -> Step {
        let build = local.build.clone();
        let dir = PathBuf::from(format!("{}.unpacked", build.dir().display()));
        // Of an archive that is cut off nothing is left.
        let unpack = "rm -rf \"$2\" && mkdir -p \"$2\" && tar -xzf \"$1\" -C \"$2\" || { rm -rf \"$2\"; exit 1; }";
        let unpack = words!["sh", "-c", unpack, "sh", archive, dir.as_path()];
        Step::new("unpack", "unpack the servers, and check each")
            .done(move || {
                let built = build.missing().is_empty();
                Ok(built.then(|| format!("built in {}", build.dir().display())))
            })
            .run(Command::new(unpack))
            .xtask(TakePack { dir })
    }

    pub(crate) fn run(self, local: &Local, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        pack::take(&local.build, &self.dir)
    }
}
