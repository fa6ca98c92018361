//! A private Sigstore of a test's own: real servers, real cosign, a state
//! directory with a name that wants quoting, ports that nobody else uses.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::Value;
use tempfile::TempDir;

/// How many ports the manifest uses, rounded up.
const PORTS: u16 = 16;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// What a command came to.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// It succeeded, or the test fails with all that was said.
    #[track_caller]
    pub fn ok(self) -> Ended {
        assert_eq!(self.code, 0, "{}\n{}", self.out, self.err);
        self
    }

    /// It ended with this status and said this in its error.
    #[track_caller]
    pub fn fails(self, code: i32, said: &str) -> Ended {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        assert!(
            self.err.contains(said),
            "{said:?} is not in:\n{}\n{}",
            self.out,
            self.err
        );
        self
    }

    /// The last line of its output as JSON.
    #[track_caller]
    pub fn json(self) -> Value {
        let last = self.out.lines().last().unwrap_or_default();
        serde_json::from_str(last)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }
}

pub struct Workshop {
    pub temp: TempDir,
    pub state: PathBuf,
    pub port_base: u16,
}

impl Workshop {
    /// Nothing is installed yet.
    pub fn empty() -> Workshop {
        let temp = tempfile::tempdir().unwrap();
        let state = temp.path().join("état de l'atelier");
        Workshop {
            state,
            port_base: free_ports(),
            temp,
        }
    }

    /// Installed, with more options for `install`. The first one of a machine
    /// builds the servers.
    pub fn installed(options: &[&str]) -> Workshop {
        let workshop = Workshop::empty();
        workshop.install(options).ok();
        workshop
    }

    pub fn install(&self, options: &[&str]) -> Ended {
        let base = self.port_base.to_string();
        self.run(&[&["install", "--port-base", &base], options].concat())
    }

    /// Runs a command of `cargo xtask` on this state.
    pub fn run(&self, words: &[&str]) -> Ended {
        end(self.command(words))
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(["--on", "local", "--state"])
            .arg(&self.state)
            .args(words)
            .env("NO_COLOR", "1");
        command.current_dir(self.temp.path()).stdin(Stdio::null());
        command
    }

    /// The target's directory.
    pub fn dir(&self) -> PathBuf {
        self.state.join("local")
    }

    pub fn address(&self, offset: u16) -> String {
        format!("127.0.0.1:{}", self.port_base + offset)
    }

    /// The registry's address.
    pub fn registry(&self) -> String {
        self.address(10)
    }

    pub fn issuer(&self) -> String {
        format!("http://{}/dex", self.address(0))
    }

    /// The value of a variable that `env` prints.
    pub fn env(&self, name: &str) -> String {
        let all: Value =
            serde_json::from_str(&self.run(&["env", "--format", "json"]).ok().out).unwrap();
        all["env"][name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name} in {all}"))
            .to_owned()
    }

    /// Pushes a sample with this text and returns the reference it has.
    pub fn push(&self, tag: &str, text: &str) -> String {
        self.push_digest(tag, text);
        format!("{}/{tag}", self.registry())
    }

    /// The same, returning the reference by digest.
    pub fn push_digest(&self, tag: &str, text: &str) -> String {
        let program = Path::new(&self.env("WORKSHOP_COSIGN")).with_file_name("loopback");
        let ca = self.dir().join("keys/registry.pem");
        let mut push = command(&program, &["sample", "--text", text, "--ca-cert"]);
        push.arg(ca).arg(format!("{}/{tag}", self.registry()));
        end(push).ok().out.trim().to_owned()
    }

    /// The process of a component.
    pub fn pid(&self, component: &str) -> i32 {
        let record = std::fs::read(self.dir().join(format!("run/{component}.json"))).unwrap();
        let record: Value = serde_json::from_slice(&record).unwrap();
        record["pid"].as_i64().unwrap().try_into().unwrap()
    }

    /// Ends a component as a crash would.
    pub fn kill(&self, component: &str) {
        let pid = rustix::process::Pid::from_raw(self.pid(component)).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        // Nobody waits for it but the system, which takes a moment.
        while self.state_of(component) == "up" {
            std::thread::yield_now();
        }
    }

    pub fn state_of(&self, component: &str) -> String {
        let status = self.run(&["status", "--json"]);
        let first = status.out.lines().next().unwrap_or_default();
        let status: Value = serde_json::from_str(first).unwrap();
        let components = status["components"].as_array().unwrap();
        let found = components
            .iter()
            .find(|found| found["name"] == component)
            .unwrap();
        found["state"].as_str().unwrap().to_owned()
    }

    /// The servers that run, for comparing before and after.
    pub fn components(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.dir().join("run"))
            .unwrap()
            .map(|entry| {
                entry
                    .unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let ended = self.run(&["uninstall", "--yes", "--keep-tools"]);
        if ended.code != 0 && !std::thread::panicking() {
            panic!("uninstall: {}\n{}", ended.out, ended.err);
        }
    }
}

pub fn command(program: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null());
    command
}

pub fn end(mut command: Command) -> Ended {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The lowest of sixteen ports that are free now. Tests of one process never
/// get the same; other processes start elsewhere.
fn free_ports() -> u16 {
    let start = u16::try_from(std::process::id() % 400).unwrap() * PORTS;
    loop {
        let base = 18_000 + (start + NEXT.fetch_add(PORTS, Ordering::Relaxed)) % 13_000;
        let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if (base..base + PORTS).all(free) {
            return base;
        }
    }
}
