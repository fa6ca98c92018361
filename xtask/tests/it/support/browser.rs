//! A headless Chromium, the scripts that look at pages with it, and axe-core.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::repo::{target, tests};
use super::run::program;
use super::skip::skipped;

/// The names that a Chromium has.
pub const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// What looks at pages.
pub struct Browser {
    node: PathBuf,
    chromium: PathBuf,
    axe: PathBuf,
    /// Where it leaves screenshots.
    pub out: PathBuf,
}

impl Browser {
    /// The one of this machine, whose screenshots go to a directory of this name;
    /// `None`, and said, where something is missing.
    pub fn find(name: &str) -> Option<Browser> {
        let Some(chromium) = program(&CHROMIUM) else {
            skipped("chromium on the PATH");
            return None;
        };
        let (Some(node), Some(npm)) = (program(&["node"]), program(&["npm"])) else {
            skipped("node and npm on the PATH");
            return None;
        };
        let all = target().join("browser");
        let axe = match axe(&npm, &all.join("npm")) {
            Ok(axe) => axe,
            Err(why) => {
                skipped(&format!("axe-core: {why}"));
                return None;
            }
        };
        let out = all.join(name);
        fs::create_dir_all(&out).unwrap();
        Some(Browser {
            node,
            chromium,
            axe,
            out,
        })
    }

    /// A script of `tests/browser`, which takes more words.
    pub fn script(&self, name: &str) -> Command {
        let mut script = Command::new(&self.node);
        script
            .arg(tests().join("browser").join(name))
            .args([&self.chromium, &self.axe, &self.out]);
        script
    }
}

/// What a script prints, a line a document.
pub fn lines(mut script: Command) -> Vec<Value> {
    let ended = script.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(ended.stdout).unwrap();
    assert!(
        ended.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    said.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// axe-core in the version that the lock file names, installed where it is not yet.
fn axe(npm: &Path, dir: &Path) -> Result<PathBuf, String> {
    let file = dir.join("node_modules/axe-core/axe.min.js");
    let lock = fs::read(tests().join("browser/package-lock.json")).unwrap();
    let installed = fs::read(dir.join("package-lock.json")).is_ok_and(|there| there == lock);
    if installed && file.is_file() {
        return Ok(file);
    }
    fs::create_dir_all(dir).unwrap();
    fs::copy(
        tests().join("browser/package.json"),
        dir.join("package.json"),
    )
    .unwrap();
    fs::write(dir.join("package-lock.json"), lock).unwrap();
    let ended = Command::new(npm)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    if ended.status.success() {
        return Ok(file);
    }
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    Err(format!("npm could not install axe-core: {said}"))
}
