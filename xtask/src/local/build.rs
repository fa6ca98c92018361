//! The servers' programs: built once from `deploy/local/go.mod`, shared by all
//! states of a user, and found again by a hash of what they are built from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::manifest::Manifest;
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
    programs: Vec<String>,
}

impl ServerBuild {
    /// Those that this repository asks for, built or not.
    pub fn of(repo: &Path) -> Result<ServerBuild> {
        let source = repo.join("deploy/local");
        let mut files = vec![source.join("go.mod"), source.join("go.sum")];
        let helper = source.join("cmd/loopback");
        for entry in
            std::fs::read_dir(&helper).with_context(|| format!("read {}", helper.display()))?
        {
            let path = entry?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if name.ends_with(".go") && !name.ends_with("_test.go") {
                files.push(path);
            }
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
            programs: Manifest::read(repo)?
                .programs()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            dir: cache_dir()?.join("servers").join(name),
        })
    }

    /// The directory that holds the programs.
    pub fn dir(&self) -> &Path {
        &self.dir
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

    /// A program of them.
    pub fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Whether they are built, all of them.
    pub fn built(&self) -> bool {
        self.dir.join(COMPLETE).is_file()
            && self
                .programs
                .iter()
                .all(|name| self.program(name).is_file())
    }

    /// Locks the place where they are built while they are not, or where they are to
    /// be built `again`: states share it, so that one install builds and the others
    /// wait.
    pub fn lock(&self, again: bool, waiting: &dyn Fn()) -> Result<Option<Lock>> {
        if self.built() && !again {
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

    /// The steps that build them: fetch the modules (so many `archives`), compile, put
    /// in place.
    pub fn steps(&self, archives: u64) -> Vec<Step> {
        let built = {
            let build = self.clone();
            move || {
                Ok(build
                    .built()
                    .then(|| format!("built in {}", build.dir.display())))
            }
        };
        let partial = self.partial();
        // `go list` fetches what the build needs and no more, and its output
        // says how much there is to compile.
        let stale = "{{if .Stale}}{{.ImportPath}}{{end}}";
        let list = self.go(words!["list", "-deps", "-f", stale], words![]);
        let into = words!["-o", format!("{}/", partial.display())];
        let build = self.go(words!["build", "-v"], into);
        let record = words![
            "sh",
            "-c",
            "go mod edit -json >\"$1\"",
            "sh",
            partial.join(COMPLETE)
        ];
        vec![
            Step::new("modules", "fetch the Go modules of the servers")
                .needs(["preflight"])
                .done(built.clone())
                .run(list.output("PACKAGES").progress(
                    |line| line.starts_with("go: downloading"),
                    Total::Known(archives),
                )),
            Step::new("servers", "build the servers (once; takes minutes)")
                .needs(["modules"])
                .done(built)
                .run(build.progress(
                    |line| !line.starts_with("go: "),
                    Total::LinesOf("PACKAGES".to_owned()),
                ))
                .run(Command::new(record).dir(&self.source))
                .run(Command::new(words!["rm", "-rf", self.dir.as_path()]))
                .run(Command::new(words!["mv", partial, self.dir.as_path()])),
        ]
    }

    /// A call of Go about all programs, which settings of the caller do not change.
    fn go(&self, verb: Vec<Word>, more: Vec<Word>) -> Command {
        let same = words!["-mod=readonly", "-buildvcs=false", "-trimpath"];
        let programs = words!["-ldflags=-s -w", "tool", "./cmd/..."];
        Command::new([words!["go"], verb, same, more, programs].concat())
            .dir(&self.source)
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", "")
            .env("GOOS", "")
            .env("GOARCH", "")
            .env("GOWORK", "off")
    }
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
