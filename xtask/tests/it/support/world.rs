//! A world of a test's own, in which every program is fake.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;
use xtask::local::{platform, process};

use super::fakes::{COSIGN, GO, LOOPBACK, SERVER, TOOLS, TUF, make_program, programs, users};
use super::ports::Ports;
use super::repo::{repository, target};
use super::run::{Run, command, end, xtask};
use super::snapshot::{replaced_after, replaced_word, without_numbers, without_the_parser};
use super::web::{Answers, Web, all_servers, bind};

/// The lowest port where none is chosen.
const PORT_BASE: u16 = 17800;

/// Everything one test touches: a state directory, a home, a PATH.
pub struct World {
    pub root: PathBuf,
    pub state: PathBuf,
    /// The target.
    pub on: &'static str,
    /// The lowest port of the installation.
    pub base: u16,
    /// Holds the ports of this test against those of others.
    _guard: Option<Ports>,
    _temp: TempDir,
}

impl World {
    /// Nothing is installed, every program is fake, and ports are only printed.
    pub fn new() -> World {
        World::on(PORT_BASE, None)
    }

    /// The same on ports that nobody else uses, for tests that listen.
    pub fn on_free_ports() -> World {
        let ports = Ports::free();
        World::on(ports.base, Some(ports))
    }

    /// An installation in a directory that a shell would take apart, were its name not
    /// quoted.
    pub fn with_an_odd_path() -> World {
        let mut world = World::on_free_ports();
        world.state = world.path("l'état \"d'un\" $HOME; atelier");
        world.installed("v2")
    }

    fn on(base: u16, guard: Option<Ports>) -> World {
        // On the disk that cargo builds on: `preflight` wants 6 GB there.
        let temp = tempfile::Builder::new()
            .prefix("cli-")
            .tempdir_in(target())
            .unwrap();
        let root = temp.path().canonicalize().unwrap();
        let world = World {
            state: root.join("state"),
            root,
            on: "local",
            base,
            _guard: guard,
            _temp: temp,
        };
        for dir in ["bin", "fakes", "home", "work"] {
            fs::create_dir(world.path(dir)).unwrap();
        }
        for tool in TOOLS {
            symlink(which::which(tool).unwrap(), world.path("bin").join(tool)).unwrap();
        }
        make_program(&world.path("fakes/program"), include_str!("fakes/any.sh"));
        symlink(world.path("fakes/program"), world.path("bin/go")).unwrap();
        for (name, does) in [
            ("go", GO),
            ("cosign", COSIGN),
            ("loopback", LOOPBACK),
            ("tuf", TUF),
        ] {
            world.fake(name, does);
        }
        for server in ["dex", "posix", "registry", "rekor-v1", "tesseract", "tiles"] {
            world.fake(server, SERVER);
        }
        world.write("fakes/programs", &(programs().join("\n") + "\n"));
        world.write("fakes/users.yml", &users());
        world.write("fakes/key.pub", include_str!("../../data/key.pub"));
        let chain = include_str!("../../data/timestamp/certchain.pem");
        world.write("fakes/chain.pem", chain);
        world.write("fakes/bundle", include_str!("fakes/rekor-v2.sigstore.json"));
        world
    }

    /// Built, and installed with this version of Rekor; nothing runs.
    pub fn installed(self, rekor: &str) -> World {
        fs::create_dir_all(self.servers()).unwrap();
        for program in programs() {
            symlink(self.path("fakes/program"), self.servers().join(program)).unwrap();
        }
        self.write_in(&self.servers(), "go.mod.json", r#"{"Require": []}"#);
        self.write_state("version", "1\n");
        let since = r#"{"since": "2026-01-02T03:04:05Z", "until": null}"#;
        let settings = format!(
            r#"{{"port_base": {}, "rekor": "{rekor}", "created": "2026-01-02T03:04:05Z", "fulcio": [{since}], "timestamp": [{since}], "ctlog": [{since}], "rekor_v1": [{since}], "tuf": [{since}]}}"#,
            self.base
        );
        self.write_state("local/settings.json", &settings);
        self.write_state("local/keys/users.yml", &users());
        self.write_state("local/trust/trusted_root.json", "{}");
        for name in ["fulcio-1", "timestamp-1"] {
            self.write_state(&format!("local/keys/{name}.key"), "");
            self.write_state(&format!("local/keys/{name}.pem"), "");
        }
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The directory of the local target.
    pub fn local(&self) -> PathBuf {
        self.state.join("local")
    }

    /// Where the servers' programs of this repository are, built or not.
    pub fn servers(&self) -> PathBuf {
        self.path("cache/servers").join(build())
    }

    /// Writes a file of this world.
    pub fn write(&self, name: &str, text: &str) {
        self.write_in(&self.root, name, text);
    }

    /// Writes a file of the state directory.
    pub fn write_state(&self, name: &str, text: &str) {
        self.write_in(&self.state, name, text);
    }

    /// Adds a program to the PATH, and says in shell what it does.
    pub fn add_program(&self, name: &str, does: &str) {
        symlink(self.path("fakes/program"), self.path("bin").join(name)).unwrap();
        self.fake(name, does);
    }

    /// Puts a curl on the PATH, and says in shell what it does.
    pub fn add_curl(&self, does: &str) {
        let _ = fs::remove_file(self.path("bin/curl"));
        self.add_program("curl", does);
    }

    fn write_in(&self, dir: &Path, name: &str, text: &str) {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Says in shell what the fake program of this name does.
    pub fn fake(&self, name: &str, does: &str) {
        self.write(&format!("fakes/{name}.sh"), does);
    }

    /// How the fakes were called so far, one line a call, redacted.
    pub fn calls(&self) -> String {
        self.redact(&fs::read_to_string(self.path("fakes/calls")).unwrap_or_default())
    }

    /// The same, and starts over.
    pub fn forget_calls(&self) -> String {
        let calls = self.calls();
        let _ = fs::remove_file(self.path("fakes/calls"));
        calls
    }

    /// The program with nothing in its environment but this world, and no
    /// options yet.
    pub fn bare(&self) -> Command {
        self.bare_of(Path::new(xtask()))
    }

    /// The port base to name: the forwards of a cluster are above it.
    fn named_base(&self) -> u16 {
        if self.on == "local" || self.base == PORT_BASE {
            self.base
        } else {
            self.base - 50
        }
    }

    /// The same for another copy of the program.
    pub fn bare_of(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("HOME", self.path("home"))
            .env("WORKSHOP_CACHE", self.path("cache"))
            .env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"))
            .env("NO_COLOR", "1")
            .env("WORKSHOP_PORT_BASE", self.named_base().to_string())
            .env("FAKES", self.path("fakes"))
            .current_dir(self.path("work"))
            // Without a terminal the help is as wide on every machine.
            .stdin(Stdio::null());
        command
    }

    /// A command of `cargo xtask` on this world's state, as a shell would read
    /// the line.
    pub fn command(&self, line: &str) -> Command {
        let mut command = self.bare();
        command
            .args(["--on", self.on, "--state"])
            .arg(&self.state)
            .args(shlex::split(line).unwrap());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, line: &str) -> Run {
        self.end(self.command(line))
    }

    /// Runs commands one after the other and returns all that a user sees.
    pub fn show(&self, lines: &[&str]) -> String {
        let show = |line: &&str| format!("$ cargo xtask {line}\n{}", self.run(line).seen());
        self.redact(&lines.iter().map(show).collect::<Vec<_>>().join("\n"))
    }

    /// Runs a command that a test has changed to its end.
    pub fn end(&self, mut command: Command) -> Run {
        command.stdout(Stdio::piped());
        self.start_as_is(command).end()
    }

    /// Starts a command whose end the test does not wait for yet.
    pub fn start(&self, line: &str) -> Started<'_> {
        let mut command = self.command(line);
        command.stdout(Stdio::piped());
        self.start_as_is(command)
    }

    /// Starts a command whose standard output the test has led elsewhere.
    pub fn start_as_is(&self, mut command: Command) -> Started<'_> {
        Started(self, Some(command.stderr(Stdio::piped()).spawn().unwrap()))
    }

    /// A text with what differs between runs and machines named instead.
    pub fn redact(&self, text: &str) -> String {
        let paths = [
            (self.servers(), "[SERVERS]"),
            (self.state.clone(), "[STATE]"),
            (self.root.clone(), "[TEMP]"),
            (repository().to_owned(), "[REPO]"),
        ];
        let mut text = without_numbers(&without_the_parser(text));
        // Where a page is seen from depends on where Cargo keeps what it builds.
        if let Ok(below) = self.path("work").strip_prefix(repository()) {
            let up = "../".repeat(below.components().count());
            text = text.replace(&up, "[REPO]/");
        }
        for (path, name) in paths {
            text = text.replace(path.to_str().unwrap(), name);
        }
        if self.base != PORT_BASE {
            for offset in 0..16 {
                let port = (self.base + offset).to_string();
                text = replaced_word(&port, &format!("[PORT+{offset}]"), &text);
            }
        }
        // The names of these files and this sentence hold the id of a process.
        for before in ["/token-", "/bundle-", "process ", "[STATE]."] {
            text = replaced_after(before, "0123456789", "[PID]", &text);
        }
        for before in ["-time=", "generation 1, since "] {
            text = replaced_after(before, "0123456789-:TZ", "[TIME]", &text);
        }
        text
    }

    /// A Dex that gives everybody the token, and a Fulcio that takes it.
    pub fn dex(&self) -> Issuers {
        self.dex_that(all_servers)
    }

    /// The same, with answers of a test's own from Dex.
    pub fn dex_that(&self, answer: impl Fn(&str, &mut TcpStream) + Send + 'static) -> Issuers {
        let (dex, stands_for_dex) = self.listen_as("dex", self.base);
        let (fulcio, stands_for_fulcio) = self.listen_as("fulcio", self.base + 1);
        Issuers {
            _servers: [Web::with(dex, answer), Web::with(fulcio, all_servers)],
            processes: [stands_for_dex, stands_for_fulcio],
        }
    }

    /// Listens on a server's port, and has a process of its own hold that socket as well:
    /// the one that is recorded, which a command may end.
    fn listen_as(&self, name: &str, port: u16) -> (TcpListener, (Child, PathBuf)) {
        let listener = bind(port);
        let held = OwnedFd::from(listener.try_clone().unwrap());
        let process = Command::new("sleep").arg("600").stdin(held).spawn();
        let process = process.unwrap();
        let record = json!({
            "pid": process.id(),
            "started": platform::started(process.id()).unwrap(),
            "since": "2026-01-02T03:04:05Z",
            "log": "logs/none.log",
            "log_from": 0,
            "version": null,
            "fingerprint": "",
        });
        let file = format!("local/run/{name}.json");
        self.write_state(&file, &record.to_string());
        (listener, (process, self.state.join(file)))
    }

    /// Answers for the fake servers: each on its port once it was started.
    pub fn answer_for_servers(&self) -> Answers {
        Answers::of_servers(self.path("fakes/calls"), self.base)
    }
}

/// Dex and Fulcio, until they are dropped.
pub struct Issuers {
    _servers: [Web; 2],
    /// What stands for each, and where it is recorded.
    processes: [(Child, PathBuf); 2],
}

impl Drop for Issuers {
    fn drop(&mut self) {
        for (process, record) in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
            let _ = fs::remove_file(record);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for target in ["local", "minikube", "cluster"] {
            let dir = self.state.join(target);
            let Ok(records) = fs::read_dir(dir.join("run")) else {
                continue;
            };
            for record in records.flatten() {
                let name = record.path().with_extension("");
                let name = name.file_name().unwrap().to_string_lossy();
                let _ = process::halt(&dir, &name, &[]);
            }
        }
    }
}

/// A command that runs.
pub struct Started<'a>(&'a World, Option<std::process::Child>);

impl Started<'_> {
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(self.1.as_ref().unwrap());
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end.
    pub fn end(mut self) -> Run {
        let child = self.1.take().unwrap();
        let output = child.wait_with_output().unwrap();
        let run = Run::from(output);
        Run {
            out: self.0.redact(&run.out),
            err: self.0.redact(&run.err),
            ..run
        }
    }
}

impl Drop for Started<'_> {
    fn drop(&mut self) {
        if let Some(child) = &mut self.1 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The name of the directory of the servers that this repository builds, as a dry run of
/// `install` says it.
fn build() -> &'static str {
    static BUILD: OnceLock<String> = OnceLock::new();
    BUILD.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let mut install = command(Path::new(xtask()), &["install", "--dry-run"]);
        install
            .env("WORKSHOP_ON", "local")
            .env("WORKSHOP_STATE", dir.path().join("state"))
            .env("WORKSHOP_CACHE", "/cache");
        let plan = end(install).ok().out;
        let made = plan
            .lines()
            .find_map(|line| line.strip_prefix("mkdir -p /cache/servers/"));
        made.unwrap().to_owned()
    })
}
