//! Clients of other people, installed from their registries: once a machine, below the
//! directory of the build. Where that takes minutes it is done only for those who ask for
//! all tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::apiserver::module;
use super::repo::{repository, target};
use super::run::{command, end, program};
use super::skip::{all_must_run, not_here, skipped};

/// The sources of the programs that use the libraries.
pub fn sources(language: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.join("tests/clients").join(language)
}

/// A program from the Go module proxy, of the version that `deploy/versions.yml` has under
/// this name.
pub fn from_go(pin: &str, package: &str) -> Option<PathBuf> {
    let name = package.rsplit('/').next().unwrap();
    let pins = std::fs::read_to_string(repository().join("deploy/versions.yml")).unwrap();
    let pins: Value = serde_yaml::from_str(&pins).unwrap();
    let version = pins["clients"][pin].as_str().unwrap();
    let dir = target().join(format!("{name}-{version}"));
    built(dir.join(name), |_| {
        let words = ["install", "-trimpath", "-ldflags=-s -w"];
        let mut go = command(Path::new("go"), &words);
        go.arg(format!("{package}@v{version}")).env("GOBIN", &dir);
        plain_go(&mut go);
        end(go).ok();
    })
}

/// The program that uses sigstore-go.
pub fn go_client() -> Option<PathBuf> {
    let dir = of(&sources("go"), "client-of-go");
    built(dir.join("client"), |program| {
        let mut go = command(Path::new("go"), &["build", "-trimpath", "-o"]);
        go.arg(program).arg(".").current_dir(sources("go"));
        plain_go(&mut go);
        end(go).ok();
    })
}

/// The helm that the tests of the charts have.
pub fn helm() -> Option<PathBuf> {
    from_module("helm", "helm.sh/helm/v4/cmd/helm", &module())
}

/// The rekor-cli of the Rekor that runs.
pub fn rekor_cli() -> Option<PathBuf> {
    let package = "github.com/sigstore/rekor/cmd/rekor-cli";
    from_module("rekor-cli", package, &repository().join("deploy/local"))
}

/// A program of the version that a module locks.
fn from_module(name: &str, package: &str, module: &Path) -> Option<PathBuf> {
    built(of(&module.join("go.sum"), name).join(name), |program| {
        let mut go = command(Path::new("go"), &["build", "-trimpath", "-o"]);
        go.arg(program).arg(package).current_dir(module);
        plain_go(&mut go);
        end(go).ok();
    })
}

fn plain_go(go: &mut Command) {
    go.env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-mod=readonly")
        .env("GOWORK", "off");
}

/// The program that uses sigstore-rust, from crates.io.
pub fn rust_client() -> Option<PathBuf> {
    let dir = of(&sources("rust"), "client-of-rust");
    built(dir.join("debug/client"), |_| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "--locked", "--quiet", "--target-dir"])
            .arg(&dir)
            .current_dir(sources("rust"));
        end(cargo).ok();
    })
}

/// The directory with sigstore-java and all that it needs, from Maven Central.
pub fn java_libraries() -> Option<PathBuf> {
    for need in ["java", "javac", "mvn"] {
        if program(&[need]).is_none() {
            lacks(&format!("{need}, which sigstore-java needs"));
            return None;
        }
    }
    let dir = of(&sources("java"), "client-of-java");
    built(dir.join("done"), |done| {
        let out = format!("-DoutputDirectory={}", dir.join("lib").display());
        let words = ["-q", "-B", "dependency:copy-dependencies", &out];
        let mut maven = command(Path::new("mvn"), &words);
        maven.current_dir(sources("java"));
        end(maven).ok();
        std::fs::write(done, "").unwrap();
    })?;
    Some(dir.join("lib"))
}

/// The directory of sigstore-js and its Node.js, from the npm registry.
pub fn node_modules() -> Option<PathBuf> {
    if program(&["npm"]).is_none() {
        lacks("npm, which sigstore-js comes with");
        return None;
    }
    let dir = of(&sources("js"), "client-of-js");
    let modules = dir.join("node_modules");
    built(dir.join("done"), |done| {
        let file = dir.join("package.json");
        std::fs::copy(sources("js").join("package.json"), file).unwrap();
        let words = ["install", "--no-audit", "--no-fund", "--loglevel=error"];
        let mut npm = command(Path::new("npm"), &words);
        npm.current_dir(&dir);
        end(npm).ok();
        std::fs::write(done, "").unwrap();
    })?;
    Some(modules)
}

/// sigstore-python, where the caller says where it is.
pub fn python() -> Option<PathBuf> {
    let program = std::env::var_os("WORKSHOP_TEST_SIGSTORE_PYTHON");
    if program.is_none() {
        skipped("sigstore-python: set WORKSHOP_TEST_SIGSTORE_PYTHON to its `sigstore` program");
    }
    program.map(PathBuf::from)
}

/// A program of the machine.
pub fn of_the_machine(name: &str) -> Option<PathBuf> {
    let found = program(&[name]);
    if found.is_none() {
        lacks(name);
    }
    found.map(|found| PathBuf::from(&found))
}

/// Where something is built of a file or of the files of a directory: elsewhere when they
/// change.
fn of(sources: &Path, name: &str) -> PathBuf {
    let mut digest = Sha256::new();
    let mut files = vec![sources.to_owned()];
    while let Some(file) = files.pop() {
        if file.is_dir() {
            let mut inside: Vec<_> = std::fs::read_dir(&file).unwrap().flatten().collect();
            inside.sort_by_key(std::fs::DirEntry::path);
            files.extend(inside.iter().map(std::fs::DirEntry::path));
        } else {
            digest.update(std::fs::read(&file).unwrap());
        }
    }
    target().join(format!("{name}-{:.16}", format!("{:x}", digest.finalize())))
}

/// Whether clients are installed that are not there: for those who ask for all tests, unless
/// they say that these are not meant, as CI does, whose machines begin with nothing.
fn are_asked_for() -> bool {
    all_must_run() && std::env::var_os("WORKSHOP_TEST_CLIENTS").is_none_or(|asked| asked != "0")
}

/// Says that this machine lacks what a client needs, which it must not where clients are
/// installed.
#[track_caller]
fn lacks(what: &str) {
    match are_asked_for() {
        true => skipped(what),
        false => not_here(&format!("this machine lacks {what}")),
    }
}

/// A file that `build` makes, unless it is there already or nobody asks for all tests.
fn built(file: PathBuf, build: impl FnOnce(&Path)) -> Option<PathBuf> {
    if file.exists() {
        return Some(file);
    }
    let name = file.parent()?.file_name()?.to_string_lossy().into_owned();
    if !are_asked_for() {
        not_here(&format!(
            "{name} is not installed; to install it: WORKSHOP_TEST_ALL=1 cargo test"
        ));
        return None;
    }
    std::fs::create_dir_all(file.parent()?).unwrap();
    build(&file);
    Some(file)
}
