//! The stage of a lab: an installation of its own, the commands that run on it, and
//! what the reader sees of both.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Lab;
use crate::fail::{NOT_SO, broken};
use crate::plan::shell::quote;
use crate::state;
use crate::ui::Ui;

/// The ports of the installation that a lab has for itself.
const PORT_BASE: u16 = 20_800;

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

/// What a command came to.
pub struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl<'a> Stage<'a> {
    /// Sets the stage below `dir`, which is emptied first: a lab that was interrupted
    /// may have left something.
    ///
    /// # Errors
    /// Where the installation does not come up.
    pub fn set(ui: &'a Ui, dir: &Path, lab: &Lab, waits: bool) -> Result<Stage<'a>> {
        let mut stage = Stage {
            ui,
            program: std::env::current_exe().context("find this program")?,
            dir: dir.to_owned(),
            waits: waits && std::io::stdin().is_terminal() && std::io::stdout().is_terminal(),
            caught: Vec::new(),
            env: Value::Null,
        };
        stage.clear()?;
        std::fs::create_dir_all(dir).context("make the directory of the lab")?;
        let port = PORT_BASE.to_string();
        let install = [&["install", "--port-base", &port], lab.options].concat();
        stage.done(&install)?;
        let env = stage.done(&["env", "--format", "json"])?;
        stage.env = serde_json::from_str(&env.out).context("read what env says")?;
        Ok(stage)
    }

    /// Removes the installation and all that the lab made.
    ///
    /// # Errors
    /// Where something stays.
    pub fn clear(&self) -> Result<()> {
        if self.dir.join("state").exists() {
            self.done(&["uninstall", "--yes", "--keep-tools"])?;
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
            std::io::stdin().lock().read_line(&mut String::new())?;
        }
        Ok(())
    }

    /// Waits until a second since 1970 is over.
    pub fn until_after(&self, second: u64) {
        let over = SystemTime::UNIX_EPOCH + Duration::from_secs(second + 1);
        if let Ok(left) = over.duration_since(SystemTime::now()) {
            std::thread::sleep(left);
        }
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

    /// Shows and runs a command that must do what it says.
    ///
    /// # Errors
    /// Where it does not.
    pub fn runs(&mut self, words: &[&str]) -> Result<()> {
        let ended = self.shown(words)?;
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
        let ended = self.shown(words)?;
        if ended.code != Some(i32::from(NOT_SO)) || !ended.err.contains(because) {
            let what = format!(
                "the attack was not caught: {} says no {because:?}",
                words[0]
            );
            return Err(broken(what).tail(lines(&ended.err)).into());
        }
        self.catches(because);
        Ok(())
    }

    /// Notes what caught the attack.
    pub fn catches(&mut self, what: &str) {
        if !self.caught.iter().any(|caught| caught == what) {
            self.caught.push(what.to_owned());
        }
    }

    /// Shows a command, runs it and shows what it says.
    fn shown(&self, words: &[&str]) -> Result<Ended> {
        let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
        self.say(&format!("\n$ cargo xtask {}", quoted.join(" ")));
        let ended = end(self.command(words))?;
        for line in ended.out.lines().filter(|line| !line.starts_with("next: ")) {
            self.say(line);
        }
        // The hints lead to the reader's own installation, which is another.
        for line in ended.err.lines().filter(|line| line.starts_with("error: ")) {
            self.say(line);
        }
        Ok(ended)
    }

    /// Has cosign sign a file with a token that Fulcio must refuse for this reason, which
    /// Fulcio keeps to itself: cosign is told no more than that the token is wrong.
    ///
    /// # Errors
    /// Where a certificate is issued, or Fulcio gives another reason.
    pub fn no_certificate(&mut self, token: &Path, because: &str) -> Result<()> {
        let file = self.file("to-be-signed");
        state::write(&file, b"a program\n", 0o600)?;
        let log = self.installation().join("logs/fulcio.log");
        let before = state::read(&log)?.unwrap_or_default().len();
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let words = [
            "sign-blob".to_owned(),
            "--yes".to_owned(),
            "--identity-token".to_owned(),
            path(token),
            "--signing-config".to_owned(),
            self.env("WORKSHOP_SIGNING_CONFIG")?.to_owned(),
            "--trusted-root".to_owned(),
            self.env("WORKSHOP_TRUSTED_ROOT")?.to_owned(),
            "--bundle".to_owned(),
            path(&self.file("to-be-signed.sigstore.json")),
            path(&file),
        ];
        let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
        self.say(&format!("\n$ cosign {}", quoted.join(" ")));
        let mut cosign = Command::new(self.env("WORKSHOP_COSIGN")?);
        cosign.args(words).env("TUF_ROOT", self.env("TUF_ROOT")?);
        // Nothing of the reader's own is read, and no token of the environment taken.
        cosign
            .env("HOME", &self.dir)
            .env_remove("SIGSTORE_ID_TOKEN");
        let ended = end(cosign)?;
        for line in ended.err.lines().filter(|line| line.starts_with("Error: ")) {
            self.say(line);
        }
        let log = state::read(&log)?.unwrap_or_default();
        let log = String::from_utf8_lossy(log.get(before..).unwrap_or_default()).into_owned();
        let reason = log.lines().find_map(refusal).unwrap_or_default();
        self.say(&format!("# the log of Fulcio says: {reason}"));
        if ended.code == Some(0) || !reason.contains(because) {
            let what = format!("the attack was not caught: Fulcio says no {because:?}");
            return Err(broken(what).tail(lines(&ended.err)).into());
        }
        self.catches(because);
        Ok(())
    }

    /// Runs a command that nobody sees.
    fn done(&self, words: &[&str]) -> Result<Ended> {
        let ended = end(self.command(words))?;
        if ended.code == Some(0) {
            return Ok(ended);
        }
        let what = format!("`{}` of the lab's own Sigstore failed", words[0]);
        Err(broken(what).tail(lines(&ended.err)).into())
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["--quiet", "--on", "local", "--state"]);
        command.arg(self.dir.join("state")).args(words);
        command
    }
}

fn end(mut command: Command) -> Result<Ended> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("run {command:?}"))?;
    Ok(Ended {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Why Fulcio refused a request, from a line of its log.
fn refusal(line: &str) -> Option<String> {
    let (_, fields) = line.rsplit_once('\t')?;
    let fields: Value = serde_json::from_str(fields).ok()?;
    fields.get("clientMessage")?;
    fields["error"].as_str().map(str::to_owned)
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
