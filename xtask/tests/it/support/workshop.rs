//! A private Sigstore of a test's own: real servers, real cosign, a state
//! directory with a name that wants quoting, ports that nobody else uses.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::ports::Ports;
use super::run::{Run, command, end, xtask};

pub struct Workshop {
    pub temp: TempDir,
    pub state: PathBuf,
    pub ports: Ports,
}

impl Workshop {
    /// Nothing is installed yet.
    pub fn empty() -> Workshop {
        let temp = tempfile::tempdir().unwrap();
        let state = temp.path().join("état de l'atelier");
        Workshop {
            state,
            ports: Ports::free(),
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

    pub fn install(&self, options: &[&str]) -> Run {
        let base = self.ports.base.to_string();
        self.run(&[&["install", "--port-base", &base], options].concat())
    }

    /// Runs a command of `cargo xtask` on this state.
    pub fn run(&self, words: &[&str]) -> Run {
        end(self.command(words))
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(xtask());
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
        format!("127.0.0.1:{}", self.ports.base + offset)
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

    /// Pushes an index that lists these images of the same repository, and returns it by
    /// digest.
    pub fn push_index(&self, tag: &str, images: &[&str]) -> String {
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let listed: Vec<Value> = std::iter::zip(images, ["amd64", "arm64"])
            .map(|(image, architecture)| {
                let (_, digest) = image.split_once('@').unwrap();
                json!({
                    "mediaType": kind,
                    "digest": digest,
                    "size": self.manifest(image).len(),
                    "platform": {"os": "linux", "architecture": architecture},
                })
            })
            .collect();
        let kind = "application/vnd.oci.image.index.v1+json";
        let index = json!({"schemaVersion": 2, "mediaType": kind, "manifests": listed});
        let (name, tag) = tag.split_once(':').unwrap();
        let to = format!("https://{}/v2/{name}/manifests/{tag}", self.registry());
        let header = format!("Content-Type: {kind}");
        let put = ["--request", "PUT", "--header", &header, "--data"];
        self.curl(&[&put[..], &[&index.to_string(), &to]].concat());
        let digest = ring::digest::digest(&ring::digest::SHA256, index.to_string().as_bytes());
        let hex: String = digest.as_ref().iter().map(|b| format!("{b:02x}")).collect();
        format!("{}/{name}@sha256:{hex}", self.registry())
    }

    fn manifest(&self, image: &str) -> String {
        let (host, rest) = image.split_once('/').unwrap();
        let (name, digest) = rest.split_once('@').unwrap();
        let accept = "Accept: application/vnd.oci.image.manifest.v1+json";
        let from = format!("https://{host}/v2/{name}/manifests/{digest}");
        self.curl(&["--header", accept, &from])
    }

    fn curl(&self, words: &[&str]) -> String {
        let mut curl = command(Path::new("curl"), &["--silent", "--fail", "--cacert"]);
        curl.arg(self.dir().join("keys/registry.pem")).args(words);
        end(curl).ok().out
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
        if ended.exit != 0 && !std::thread::panicking() {
            panic!("uninstall: {}\n{}", ended.out, ended.err);
        }
    }
}
