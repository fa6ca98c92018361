//! The stage of a lab: an installation of its own, the commands that run on it, and
//! what the reader sees of both.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde_json::Value;

use super::child::{Ended, end, end_in_view, finish, lines};
use super::{Lab, edit};
use crate::exec::interrupt;
use crate::exec::redirecting_variables;
use crate::fail::{NOT_SO, broken};
use crate::http;
use crate::state;
use crate::text::quote;
use crate::ui::Ui;

/// A stage.
pub struct Stage<'a> {
    ui: &'a Ui,
    program: PathBuf,
    /// Where everything of the lab is.
    dir: PathBuf,
    /// Whether a person is there to be waited for.
    waits: bool,
    /// The checks that caught something.
    caught: Vec<String>,
    /// What `env` says of the installation.
    env: Value,
}

impl<'a> Stage<'a> {
    /// A stage below `dir` on which nothing stands yet. `waits` says whether a reader
    /// at a terminal is waited for.
    ///
    /// # Errors
    /// Where this program cannot be found.
    pub fn new(ui: &'a Ui, dir: &Path, waits: bool) -> Result<Stage<'a>> {
        Ok(Stage {
            ui,
            program: std::env::current_exe().context("find this program")?,
            dir: dir.to_owned(),
            waits: waits && std::io::stdin().is_terminal() && std::io::stdout().is_terminal(),
            caught: Vec::new(),
            env: Value::Null,
        })
    }

    /// Builds the servers, which takes minutes, so the reader sees how far it is.
    ///
    /// # Errors
    /// Where they cannot be built.
    pub fn build(&self) -> Result<()> {
        let style = self.ui.style();
        let quiet = style.quiet || style.json;
        let built = end_in_view(self.command_of(&["prefetch"], quiet))?;
        if built.code != Some(0) {
            return Err(broken("the servers for the lab cannot be built").into());
        }
        Ok(())
    }

    /// Sets it for a lab. It is cleared first: a lab that was interrupted may have left
    /// something.
    ///
    /// # Errors
    /// Where the installation does not come up.
    pub fn set(&mut self, lab: &Lab, port_base: u16) -> Result<()> {
        self.clear()?;
        std::fs::create_dir_all(&self.dir).context("make the directory of the lab")?;
        let port = port_base.to_string();
        let install = [&["install", "--port-base", &port], lab.options].concat();
        let installed = end(self.command(&install))?;
        if installed.code != Some(0) {
            return Err(broken("a Sigstore for the lab cannot be installed")
                .tail(lines(&installed.err))
                .hint(format!(
                    "if its ports are taken, choose others: cargo xtask lab {} --port-base N",
                    lab.name
                ))
                .into());
        }
        let env = end(self.command(&["env", "--format", "json"]))?;
        self.env = serde_json::from_str(&env.out).context("read what env says")?;
        Ok(())
    }

    /// Removes the installation and all that the lab made.
    ///
    /// # Errors
    /// Where something stays.
    pub fn clear(&self) -> Result<()> {
        if self.dir.join("state").exists() {
            let ended = finish(self.command(&["uninstall", "--yes", "--keep-tools"]))?;
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

    /// The checks that caught something, each once.
    pub fn caught(&self) -> &[String] {
        &self.caught
    }

    /// A line for the reader.
    pub fn say(&self, line: &str) {
        self.ui.say(line);
    }

    /// Waits until the reader has thought, where there is one.
    ///
    /// # Errors
    /// Where the terminal is gone.
    pub fn wait(&self) -> Result<()> {
        if self.waits {
            self.say("(Enter goes on)");
            interrupt::interruptible(|| {
                let read = std::io::stdin().lock().read_line(&mut String::new());
                read.map_err(|error| broken(format!("the terminal is gone: {error}")))
            })?;
        }
        Ok(())
    }

    /// Waits until a second since 1970 is over.
    ///
    /// # Errors
    /// Where the user does not want to wait.
    pub fn until_after(&self, second: u64) -> Result<()> {
        let over = SystemTime::UNIX_EPOCH + Duration::from_secs(second + 1);
        let left = over.duration_since(SystemTime::now()).unwrap_or_default();
        interrupt::interruptible(move || {
            std::thread::sleep(left);
            Ok(())
        })?;
        Ok(())
    }

    /// A variable that `env` prints.
    ///
    /// # Errors
    /// Where there is none.
    pub fn env(&self, name: &str) -> Result<&str> {
        self.env["env"][name]
            .as_str()
            .with_context(|| format!("env names no {name}"))
    }

    /// A file of the lab.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The directory of the installation.
    pub fn installation(&self) -> PathBuf {
        self.dir.join("state/local")
    }

    /// Pushes an image with this text and returns it by digest.
    ///
    /// # Errors
    /// Where the registry does not take it.
    pub fn push(&self, tag: &str, text: &str) -> Result<String> {
        let program = Path::new(self.env("WORKSHOP_COSIGN")?).with_file_name("loopback");
        let image = format!("{}/{tag}", self.env("WORKSHOP_REGISTRY")?);
        self.say(&format!("\n# the image {image} holds now: {text}"));
        let mut push = Command::new(program);
        push.args(["sample", "--text", text, "--ca-cert"]);
        push.arg(self.env("WORKSHOP_REGISTRY_CA")?).arg(&image);
        let ended = end(push)?;
        if ended.code != Some(0) {
            return Err(broken("the image cannot be pushed")
                .tail(lines(&ended.err))
                .into());
        }
        Ok(ended.out.trim().to_owned())
    }

    /// Copies what the registry keeps of the signatures of one image to another of the
    /// same repository, both by digest.
    ///
    /// # Errors
    /// Where the registry does not let it be done.
    pub fn copy_signatures(&self, from: &str, to: &str) -> Result<()> {
        let address = |image: &str| {
            let (name, digest) = image.split_once('@')?;
            let (host, name) = name.split_once('/')?;
            let tag = digest.replace(':', "-");
            Some(format!("https://{host}/v2/{name}/manifests/{tag}"))
        };
        let (from, to) = address(from)
            .zip(address(to))
            .context("two images by digest")?;
        let index = self.file("signatures.json");
        let kind = "application/vnd.oci.image.index.v1+json";
        let file = index.to_string_lossy().into_owned();
        self.curl(&[
            "--header",
            &format!("Accept: {kind}"),
            "--output",
            &file,
            &from,
        ])?;
        let content = format!("Content-Type: {kind}");
        let data = format!("@{file}");
        self.curl(&[
            "--request",
            "PUT",
            "--header",
            &content,
            "--data-binary",
            &data,
            &to,
        ])
    }

    /// Shows and runs curl, which believes the certificate of the registry.
    ///
    /// # Errors
    /// Where the server does not do what it is asked for.
    pub fn curl(&self, words: &[&str]) -> Result<()> {
        let ca = self.env("WORKSHOP_REGISTRY_CA")?;
        let words = [
            &[
                "--disable",
                "--noproxy",
                "*",
                "--fail",
                "--silent",
                "--show-error",
                "--cacert",
                ca,
            ],
            words,
        ]
        .concat();
        let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
        self.say(&format!("\n$ curl {}", quoted.join(" ")));
        let mut curl = Command::new("curl");
        curl.args(words);
        let ended = end(curl)?;
        if ended.code == Some(0) {
            return Ok(());
        }
        Err(broken("the server refuses").tail(lines(&ended.err)).into())
    }

    /// Signs a file with this text as Alice, and returns it with its bundle.
    ///
    /// # Errors
    /// Where it cannot be signed.
    pub fn signed_file(&mut self, name: &str, text: &str) -> Result<(String, PathBuf)> {
        let file = self.file(name);
        std::fs::write(&file, format!("{text}\n"))?;
        let bundle = self.file(&format!("{name}.sigstore.json"));
        let file = file.to_string_lossy().into_owned();
        self.runs(&["sign", "--blob", &file])?;
        Ok((file, bundle))
    }

    /// Reads a file of JSON.
    ///
    /// # Errors
    /// Where it is none.
    pub fn read(&self, file: &Path) -> Result<Value> {
        let text = state::read(file)?.with_context(|| format!("there is no {}", file.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("read {}", file.display()))
    }

    /// Writes what a forger makes of a file of JSON beside it, and says what that is.
    ///
    /// # Errors
    /// Where nothing was changed: then there would be nothing to catch.
    pub fn edit(
        &self,
        from: &Path,
        name: &str,
        what: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<PathBuf> {
        let before = self.read(from)?;
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            return Err(broken(format!("the forger changed nothing: {what}")).into());
        }
        let file = self.file(name);
        state::write_json(&file, &after)?;
        self.say(&format!("\n# the forger: {what}: {}", file.display()));
        for line in edit::changes(&before, &after) {
            self.say(&format!("#   {line}"));
        }
        Ok(file)
    }

    /// Has cosign and this program refuse a bundle of a file, the latter for this
    /// reason.
    ///
    /// # Errors
    /// Where one of them accepts it.
    pub fn refused_file(&mut self, file: &str, bundle: &Path, because: &str) -> Result<()> {
        let bundle = bundle.to_string_lossy().into_owned();
        let named = ["--blob", file, "--bundle", &bundle];
        self.refuses(&[&["verify"], &named[..]].concat(), "", true)?;
        self.refused_shortly(&[&["inspect-rekor"], &named[..]].concat(), because)
    }

    /// A token of somebody for a client of Dex, which nobody sees.
    ///
    /// # Errors
    /// Where Dex gives none.
    pub fn token(&self, user: &str, client: &str) -> Result<String> {
        let users = state::read(&self.installation().join("keys/users.yml"))?;
        let users: Value = serde_yaml::from_slice(&users.unwrap_or_default())?;
        let users = users["users"]
            .as_array()
            .context("users.yml holds no users")?;
        let one = users.iter().find(|one| one["name"] == user);
        let one = one.with_context(|| format!("there is no {user}"))?;
        let text = |name: &str| one[name].as_str().unwrap_or_default();
        let form = [
            ("grant_type", "password"),
            ("client_id", client),
            ("scope", "openid email profile"),
            ("username", text("email")),
            ("password", text("password")),
        ];
        let url = format!("{}/token", self.env("WORKSHOP_ISSUER")?);
        let answer = http::post_form(&url, &form, Duration::from_secs(20))?;
        let answer: Value = serde_json::from_slice(&answer).context("read what Dex answers")?;
        let token = answer["id_token"].as_str().context("Dex gave no token")?;
        Ok(token.to_owned())
    }

    /// Shows and runs cosign, which must fail and say this.
    ///
    /// # Errors
    /// Where it does anything else.
    pub fn cosign_refuses(&self, words: &[&Path], because: &str) -> Result<()> {
        let quoted: Vec<String> = words
            .iter()
            .map(|word| quote(&word.to_string_lossy()))
            .collect();
        self.say(&format!("\n$ cosign {}", quoted.join(" ")));
        let mut cosign = Command::new(self.env("WORKSHOP_COSIGN")?);
        cosign.args(words).env("TUF_ROOT", self.env("TUF_ROOT")?);
        // What cosign keeps for itself belongs to the lab.
        cosign.env("HOME", &self.dir);
        for variable in redirecting_variables() {
            cosign.env_remove(variable);
        }
        let ended = end(cosign)?;
        if ended.code == Some(0) || !ended.err.contains(because) {
            let what = format!("the attack was not caught: cosign says no {because:?}");
            return Err(broken(what).tail(lines(&ended.err)).into());
        }
        let last = ended.err.lines().rev().find(|line| line.contains(because));
        self.say(last.unwrap_or("cosign refuses"));
        Ok(())
    }

    /// Shows the last line of a server's log that holds this.
    ///
    /// # Errors
    /// Where there is none: then the server had another reason.
    pub fn logged(&mut self, server: &str, because: &str) -> Result<()> {
        let log = self.installation().join(format!("logs/{server}.log"));
        let text = state::read(&log)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let line = text.lines().rev().find(|line| line.contains(because));
        let line = line.ok_or_else(|| {
            let last = text.lines().rev().take(3).map(str::to_owned).collect();
            broken(format!(
                "the attack was not caught: {server} logs no {because:?}"
            ))
            .tail(last)
        })?;
        self.say(&format!("\n# in the log of {server}:"));
        self.say(line);
        self.catches(because);
        Ok(())
    }

    /// Runs a program that nobody sees.
    ///
    /// # Errors
    /// Where it fails.
    pub fn tool(&self, command: Command) -> Result<()> {
        let ended = end(command)?;
        if ended.code == Some(0) {
            return Ok(());
        }
        Err(broken("a tool of the lab failed")
            .tail(lines(&ended.err))
            .into())
    }

    /// Shows and runs a command that must do what it says.
    ///
    /// # Errors
    /// Where it does not.
    pub fn runs(&mut self, words: &[&str]) -> Result<()> {
        let ended = self.shown(words, false)?;
        if ended.code == Some(0) {
            return Ok(());
        }
        Err(broken(format!("{} should have worked", words[0]))
            .tail(lines(&ended.err))
            .into())
    }

    /// Shows and runs a command that must answer no, and say this.
    ///
    /// # Errors
    /// Where it answers anything else: then the attack was not caught.
    pub fn refused(&mut self, words: &[&str], because: &str) -> Result<()> {
        self.refuses(words, because, false)
    }

    /// The same, showing of the answer what does not hold only.
    ///
    /// # Errors
    /// As [`Stage::refused`].
    pub fn refused_shortly(&mut self, words: &[&str], because: &str) -> Result<()> {
        self.refuses(words, because, true)
    }

    fn refuses(&mut self, words: &[&str], because: &str, shortly: bool) -> Result<()> {
        let ended = self.shown(words, shortly)?;
        let said = ended.err.lines().any(|line| {
            line.strip_prefix("error: ")
                .is_some_and(|error| error.contains(because))
        });
        if ended.code != Some(i32::from(NOT_SO)) || !said {
            let what = format!(
                "the attack was not caught: {} says no {because:?}",
                words[0]
            );
            return Err(broken(what).tail(lines(&ended.err)).into());
        }
        if !because.is_empty() {
            self.catches(because);
        }
        Ok(())
    }

    /// Notes what caught the attack.
    pub fn catches(&mut self, what: &str) {
        if !self.caught.iter().any(|caught| caught == what) {
            self.caught.push(what.to_owned());
        }
    }

    /// Shows a command, runs it and shows what it says.
    fn shown(&self, words: &[&str], shortly: bool) -> Result<Ended> {
        let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
        self.say(&format!("\n$ cargo xtask {}", quoted.join(" ")));
        let ended = end(self.command(words))?;
        let told = |line: &&str| !line.starts_with("next: ") && (!shortly || line.starts_with('✗'));
        for line in ended.out.lines().filter(told) {
            self.say(line);
        }
        // The hints lead to the reader's own installation, which is another. What
        // cosign says besides is long; the checkpoints of two histories are not.
        let evidence = words[0] == "inspect-rekor";
        let told = |line: &&str| line.starts_with("error: ") || evidence && line.starts_with("  |");
        for line in ended.err.lines().filter(told) {
            self.say(line);
        }
        Ok(ended)
    }

    fn command(&self, words: &[&str]) -> Command {
        self.command_of(words, true)
    }

    fn command_of(&self, words: &[&str], quiet: bool) -> Command {
        let mut command = Command::new(&self.program);
        command.args(quiet.then_some("--quiet"));
        command.args(["--on", "local", "--state"]);
        command.arg(self.dir.join("state")).args(words);
        command
    }
}
