//! The servers' programs: built once from `deploy/local/go.mod`, shared by all
//! states of a user, and found again by a hash of what they are built from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::manifest::{Manifest, ProgramRow};
use crate::entry::Versions;
use crate::fail::broken;
use crate::format::hex::hex;
use crate::plan::{Command, Step, Total, Word};
use crate::state::Lock;
use crate::words;
use ring::digest;

/// Written last: a directory without it is not complete.
const COMPLETE: &str = "go.mod.json";

/// Where the programs of one version of `deploy/local` are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerBuild {
    source: PathBuf,
    dir: PathBuf,
    programs: Vec<ProgramRow>,
}

impl ServerBuild {
    /// Those that this repository asks for, built or not.
    pub fn of(repo: &Path) -> Result<ServerBuild> {
        let source = repo.join("deploy/local");
        let mut files = vec![source.join("go.mod"), source.join("go.sum")];
        for dir in ["cmd", "internal"] {
            push_sources(&mut files, &source.join(dir))?;
        }
        files.sort();
        let mut hash = digest::Context::new(&digest::SHA256);
        // A home directory may be shared by machines of different kinds.
        hash.update(std::env::consts::OS.as_bytes());
        hash.update(std::env::consts::ARCH.as_bytes());
        for file in files {
            let text = std::fs::read(&file).with_context(|| format!("read {}", file.display()))?;
            hash.update(&text);
            hash.update(&[0]);
        }
        let name = hex(&hash.finish().as_ref()[..8]);
        Ok(ServerBuild {
            source,
            programs: Manifest::read(repo)?.programs,
            dir: cache_dir()?.join("servers").join(name),
        })
    }

    /// The directory that holds the programs.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The same in a place of a test's own, which no installation on this machine uses.
    #[cfg(test)]
    pub(crate) fn in_dir(self, dir: PathBuf) -> ServerBuild {
        ServerBuild { dir, ..self }
    }

    /// What an install holds while it builds them.
    pub fn lock_file(&self) -> PathBuf {
        PathBuf::from(format!("{}.lock", self.dir.display()))
    }

    /// All that a build leaves: the programs, those of one that was cut off, and
    /// the lock file.
    pub fn traces(&self) -> [PathBuf; 3] {
        [self.dir.clone(), self.partial(), self.lock_file()]
    }

    fn partial(&self) -> PathBuf {
        PathBuf::from(format!("{}.partial", self.dir.display()))
    }

    /// What it is called: a hash of what it is built from, and for what.
    pub(super) fn name(&self) -> String {
        let name = self.dir.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The names of all files of a complete build.
    pub(super) fn files(&self) -> Vec<String> {
        let programs = self.programs.iter().map(|row| row.name.clone());
        programs.chain([COMPLETE.to_owned()]).collect()
    }

    /// Whether this file makes a build complete.
    pub(super) fn is_record(&self, file: &str) -> bool {
        file == COMPLETE
    }

    /// A program of them.
    pub fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Those that are not built yet, whatever needs them.
    pub fn missing(&self) -> Vec<ProgramRow> {
        let record = self.dir.join(COMPLETE).is_file();
        let all = self.programs.iter();
        let missing = all.filter(|row| !record || !self.program(&row.name).is_file());
        missing.cloned().collect()
    }

    /// Whether all that these versions of the log need are built.
    pub fn built(&self, rekor: Versions) -> bool {
        !self.missing().iter().any(|row| row.is_for(rekor))
    }

    /// Locks the place where they are built while one of them is not, or where they are
    /// to be built `again`: states share it, so that one install builds and the others
    /// wait.
    pub fn lock(&self, again: bool, waiting: &dyn Fn()) -> Result<Option<Lock>> {
        if self.missing().is_empty() && !again {
            return Ok(None);
        }
        let path = self.lock_file();
        crate::state::make_dir(path.parent().unwrap_or(&path))?;
        crate::state::exclusive_or(&path, waiting).map(Some)
    }

    /// The version of each Go module that the programs were built from.
    pub fn versions(&self) -> Result<BTreeMap<String, String>> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct GoMod {
            require: Vec<Module>,
        }
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Module {
            path: String,
            version: String,
        }
        let file: Option<GoMod> = crate::state::read_json(&self.dir.join(COMPLETE))?;
        let file =
            file.ok_or_else(|| broken("the servers are not built").hint("cargo xtask install"))?;
        Ok(file
            .require
            .into_iter()
            .map(|module| (module.path, module.version))
            .collect())
    }

    /// How many archives of modules go.sum names.
    pub fn archives(&self) -> Result<u64> {
        let sums = std::fs::read_to_string(self.source.join("go.sum")).context("read go.sum")?;
        let archive = |line: &&str| !line.contains("/go.mod h1:");
        Ok(sums.lines().filter(archive).count() as u64)
    }

    /// The steps that build what these versions of the log need: fetch the modules (so
    /// many `archives`), compile, put in place. Of what is `missing` only that is built,
    /// unless nothing is: then whoever runs the steps wants all of them again.
    pub fn steps(&self, archives: u64, rekor: Versions, missing: &[ProgramRow]) -> Vec<Step> {
        let built = {
            let build = self.clone();
            move || {
                Ok(build
                    .built(rekor)
                    .then(|| format!("built in {}", build.dir.display())))
            }
        };
        let asked = |rows: &[ProgramRow]| -> Vec<ProgramRow> {
            let rows = rows.iter().filter(|row| row.is_for(rekor));
            rows.cloned().collect()
        };
        let mut wanted = asked(missing);
        if wanted.is_empty() {
            wanted = asked(&self.programs);
        }
        let (renamed, together): (Vec<_>, Vec<_>) = wanted.iter().partition(|row| row.is_renamed());
        let partial = self.partial();
        // `go list` fetches what the build needs and no more, and its output
        // says how much there is to compile.
        let stale = "{{if .Stale}}{{.ImportPath}}{{end}}";
        let list = self.go(
            words!["list", "-deps", "-f", stale],
            words![],
            wanted.iter(),
        );
        let mut compile = Step::new("servers", "build the servers (once; takes minutes)")
            .needs(["modules"])
            .done(built.clone())
            .run(Command::new(words!["rm", "-rf", partial.as_path()]));
        if !together.is_empty() {
            let into = words!["-o", format!("{}/", partial.display())];
            let build = self.go(words!["build", "-v"], into, together.into_iter());
            compile = compile.run(build.progress(
                |line| !line.starts_with("go: "),
                Total::LinesOf("PACKAGES".to_owned()),
            ));
        }
        for row in renamed {
            let into = words!["-o", partial.join(&row.name)];
            compile = compile.run(self.go(words!["build"], into, [row].into_iter()));
        }
        vec![
            Step::new("modules", "fetch the Go modules of the servers")
                .needs(["preflight"])
                .done(built)
                .run(list.output("PACKAGES").progress(
                    |line| line.starts_with("go: downloading"),
                    Total::Known(archives),
                )),
            self.put_in_place(compile),
        ]
    }

    /// The end of a build: what was built comes to what is there already.
    fn put_in_place(&self, build: Step) -> Step {
        let partial = self.partial();
        let record = words![
            "sh",
            "-c",
            "go mod edit -json >\"$1\"",
            "sh",
            partial.join(COMPLETE)
        ];
        let moved = "mv \"$1\"/* \"$2\"/";
        build
            .run(Command::new(record).dir(&self.source))
            .run(Command::new(words!["mkdir", "-p", self.dir.as_path()]))
            .run(Command::new(words![
                "sh",
                "-c",
                moved,
                "sh",
                partial.as_path(),
                self.dir.as_path()
            ]))
            .run(Command::new(words!["rm", "-rf", partial]))
    }

    /// A call of Go about programs, which settings of the caller do not change.
    fn go<'r>(
        &self,
        verb: Vec<Word>,
        more: Vec<Word>,
        programs: impl Iterator<Item = &'r ProgramRow>,
    ) -> Command {
        let same = words!["-mod=readonly", "-buildvcs=false", "-trimpath"];
        let stripped = words!["-ldflags=-s -w"];
        let packages = programs.map(|row| row.package.as_str().into()).collect();
        Command::new([words!["go"], verb, same, more, stripped, packages].concat())
            .dir(&self.source)
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", "")
            .env("GOOS", "")
            .env("GOARCH", "")
            .env("GOWORK", "off")
    }
}

/// Adds the Go files below a directory of which programs are made.
fn push_sources(files: &mut Vec<PathBuf>, dir: &Path) -> Result<()> {
    for entry in std::fs::read_dir(dir).with_context(|| format!("read {}", dir.display()))? {
        let path = entry?.path();
        let name = path.to_string_lossy();
        if path.is_dir() {
            push_sources(files, &path)?;
        } else if name.ends_with(".go") && !name.ends_with("_test.go") {
            files.push(path);
        }
    }
    Ok(())
}

/// The user's cache directory for this workshop: `WORKSHOP_CACHE`, or the
/// system's usual place.
pub(crate) fn cache_dir() -> Result<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(dir) = set("WORKSHOP_CACHE") {
        return Ok(std::path::absolute(dir)?);
    }
    let base = match (set("XDG_CACHE_HOME"), set("HOME")) {
        (Some(cache), _) if cache.is_absolute() => cache,
        (_, Some(home)) if cfg!(target_os = "macos") => home.join("Library/Caches"),
        (_, Some(home)) => home.join(".cache"),
        _ => {
            return Err(broken("no directory to keep the built servers in")
                .hint("set WORKSHOP_CACHE=DIR")
                .into());
        }
    };
    Ok(base.join("sigstore-workshop"))
}
