//! What a lab works with: an installation of its own, the commands that run on it, and
//! what the reader sees of both.

mod child;
mod expect;
mod files;
mod registry;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Lab;
use crate::exec::interrupt;
use crate::fail::broken;
use crate::http::Server;
use crate::local::Local;
use crate::state::State;
use crate::ui::Ui;
use child::{Ended, end, end_in_view, finish, lines};

pub(crate) use expect::{Because, Output};

/// A lab that is under way.
pub struct Session<'a> {
    ui: &'a Ui,
    repo: &'a Path,
    program: PathBuf,
    /// Where everything of the lab is.
    dir: PathBuf,
    /// Whether a person is there to be waited for.
    waits: bool,
    /// What the commands that caught something said.
    caught: Vec<String>,
    /// What `env` says of the installation.
    env: Value,
}

impl<'a> Session<'a> {
    /// A session below `dir`, where nothing is installed yet. `waits` says whether a
    /// reader at a terminal is waited for.
    pub(crate) fn new(ui: &'a Ui, repo: &'a Path, dir: &Path, waits: bool) -> Result<Session<'a>> {
        Ok(Session {
            ui,
            repo,
            program: std::env::current_exe().context("find this program")?,
            dir: dir.to_owned(),
            waits,
            caught: Vec::new(),
            env: Value::Null,
        })
    }

    /// Builds the servers, which takes minutes, so the reader sees how far it is.
    pub(crate) fn build(&self) -> Result<()> {
        let style = self.ui.style();
        let quiet = style.quiet || style.json;
        let form: &[&str] = if quiet { &["--quiet"] } else { &[] };
        let built = end_in_view(self.command(form, &["prefetch"]))?;
        if built.code != Some(0) {
            return Err(broken("the servers for the lab cannot be built").into());
        }
        Ok(())
    }

    /// Installs what a lab needs. What an interrupted lab may have left is removed first.
    pub(crate) fn install(&mut self, lab: &Lab, port_base: u16) -> Result<()> {
        self.clear()?;
        std::fs::create_dir_all(&self.dir).context("make the directory of the lab")?;
        let port = port_base.to_string();
        let install = [&["install", "--port-base", &port], lab.options].concat();
        let installed = end(self.quiet(&install))?;
        if installed.code != Some(0) {
            return Err(broken("a Sigstore for the lab cannot be installed")
                .tail(lines(&installed.err))
                .hint(format!(
                    "if its ports are taken, choose others: cargo xtask lab {} --port-base N",
                    lab.name
                ))
                .into());
        }
        let env = end(self.quiet(&["env", "--format", "json"]))?;
        self.env = serde_json::from_str(&env.out).context("read what env says")?;
        Ok(())
    }

    /// Removes the installation and all that the lab made.
    pub(crate) fn clear(&self) -> Result<()> {
        if self.dir.join("state").exists() {
            let ended = finish(self.quiet(&["uninstall", "--yes", "--keep-tools"]))?;
            if ended.code != Some(0) {
                let what = "the lab's own Sigstore cannot be removed";
                return Err(broken(what).tail(lines(&ended.err)).into());
            }
        }
        match std::fs::remove_dir_all(&self.dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("remove {}", self.dir.display()))
            }
            _ => Ok(()),
        }
    }

    /// Prints a line for the reader.
    pub(crate) fn say(&self, line: &str) {
        self.ui.say(line);
    }

    /// Waits until the reader has thought, where there is one.
    pub(crate) fn wait(&self) -> Result<()> {
        if self.waits {
            self.ui.pause()?;
        }
        Ok(())
    }

    /// Waits until a second since 1970 is over.
    pub(crate) fn until_after(&self, second: u64) -> Result<()> {
        let over = SystemTime::UNIX_EPOCH + Duration::from_secs(second + 1);
        let left = over.duration_since(SystemTime::now()).unwrap_or_default();
        interrupt::interruptible(move || {
            std::thread::sleep(left);
            Ok(())
        })?;
        Ok(())
    }

    /// A variable that `env` prints.
    pub(crate) fn env(&self, name: &str) -> Result<&str> {
        self.env["env"][name]
            .as_str()
            .with_context(|| format!("env names no {name}"))
    }

    /// The directory of the installation.
    pub(crate) fn installation(&self) -> PathBuf {
        self.dir.join("state/local")
    }

    /// Asks the lab's Dex for the token of a user for one of its clients.
    pub(crate) fn token(&self, user: &str, client: &str) -> Result<String> {
        self.target()?.identity_token(user, client)
    }

    /// The server that hands out the tiles of the lab's CT log.
    pub(crate) fn ct_log(&self) -> Result<Server> {
        self.target()?.ct_tiles()
    }

    fn target(&self) -> Result<Local> {
        let state = State::open(self.dir.join("state"))?;
        Local::open(self.repo, &state, Vec::new())
    }

    /// A command on the lab's installation that prints results and errors only.
    fn quiet(&self, words: &[&str]) -> Command {
        self.command(&["--quiet"], words)
    }

    fn command(&self, form: &[&str], words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(form).args(["--on", "local", "--state"]);
        command.arg(self.dir.join("state")).args(words);
        // Its ports are its own.
        command.env_remove("WORKSHOP_PORT_BASE");
        command
    }
}
