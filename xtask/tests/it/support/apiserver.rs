//! A control plane of a test's own: etcd, an API server, the controllers that end
//! namespaces, and a kubectl and a helm that fit. There is no node, so no pod runs.
//!
//! The programs are built from the Go module in `tests/apiserver`. That takes
//! minutes once, so it happens only in CI; where they are built already, they are
//! used.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::ports::free_port;
use super::repo::{target, tests};
use super::run::{Run, end, xtask};
use super::skip::{all_must_run, not_here};

/// How long a server may take until it answers.
const START: Duration = Duration::from_secs(120);

/// Who may do everything, on this API server.
const ADMIN: &str = "admin-of-a-test";

pub fn module() -> PathBuf {
    tests().join("apiserver")
}

/// The version of a module that `go.mod` requires.
pub fn required(path: &str) -> String {
    named(&format!("{path} "))
}

/// The version of the module that stands in for one.
pub fn replacement(path: &str) -> String {
    named(&format!("{path} => {path} "))
}

fn named(start: &str) -> String {
    let text = std::fs::read_to_string(module().join("go.mod")).unwrap();
    let version = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix(start)?.split(' ').next())
        .find(|word| word.starts_with('v'));
    version
        .unwrap_or_else(|| panic!("go.mod has no {start}"))
        .to_owned()
}

/// The directory with the programs; `None` where they are not built and nobody
/// asked for it.
fn programs() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        let read = |name: &str| std::fs::read(module().join(name)).unwrap();
        let digest = Sha256::new()
            .chain_update(read("go.mod"))
            .chain_update(read("go.sum"));
        let name = format!("apiserver-{:.16}", format!("{:x}", digest.finalize()));
        let dir = target().join(name);
        if dir.is_dir() {
            return Some(dir);
        }
        if !all_must_run() {
            return None;
        }
        let partial = dir.with_extension("partial");
        // Without the version kubectl would say that it is none.
        let version = format!(
            "-ldflags=-s -w -X k8s.io/component-base/version.gitVersion={}",
            required("k8s.io/kubernetes")
        );
        let mut go = Command::new("go");
        go.args(["build", "-mod=readonly", "-buildvcs=false", "-trimpath"])
            .arg(version)
            .arg("-o")
            .arg(format!("{}/", partial.display()))
            .arg("tool")
            .current_dir(module())
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", "")
            .env("GOWORK", "off");
        end(go).ok();
        std::fs::rename(partial, &dir).unwrap();
        Some(dir)
    };
    BUILT.get_or_init(build).as_deref()
}

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub struct ControlPlane {
    // Dropped in this order.
    servers: Vec<Server>,
    programs: &'static Path,
    pub temp: TempDir,
}

impl ControlPlane {
    /// Starts one, or says why not. Its kubeconfig has the contexts `admin`, `nobody`,
    /// who is a service account without rights, and `dead`, where nothing listens.
    pub fn start() -> Option<ControlPlane> {
        let Some(programs) = programs() else {
            not_here(
                "the control plane takes minutes to build; to build it: WORKSHOP_TEST_ALL=1 cargo test",
            );
            return None;
        };
        let mut plane = ControlPlane {
            servers: Vec::new(),
            programs,
            temp: tempfile::tempdir().unwrap(),
        };
        let etcd = format!("http://127.0.0.1:{}", free_port());
        let peers = format!("http://127.0.0.1:{}", free_port());
        plane.serve(
            "server",
            &[
                "--data-dir=etcd",
                &format!("--listen-client-urls={etcd}"),
                &format!("--advertise-client-urls={etcd}"),
                &format!("--listen-peer-urls={peers}"),
                &format!("--initial-advertise-peer-urls={peers}"),
                &format!("--initial-cluster=default={peers}"),
                "--unsafe-no-fsync",
            ],
        );
        let key = plane.path("service-accounts.key");
        let mut openssl = Command::new("openssl");
        openssl.args([
            "ecparam",
            "-name",
            "prime256v1",
            "-genkey",
            "-noout",
            "-out",
        ]);
        openssl.arg(&key);
        end(openssl).ok();
        let tokens = format!("{ADMIN},admin,admin,\"system:masters\"\n");
        std::fs::write(plane.path("tokens.csv"), tokens).unwrap();
        let port = free_port();
        // What minikube is told of issuer and keys. The API server of a cluster tells
        // itself where it is; this one has no address but the loopback's.
        plane.serve(
            "kube-apiserver",
            &[
                &format!("--etcd-servers={etcd}"),
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                "--endpoint-reconciler-type=none",
                &format!("--secure-port={port}"),
                "--cert-dir=tls",
                "--token-auth-file=tokens.csv",
                "--authorization-mode=RBAC",
                "--service-cluster-ip-range=10.96.0.0/16",
                "--service-account-key-file=service-accounts.key",
                "--service-account-signing-key-file=service-accounts.key",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-account-jwks-uri=https://kubernetes.default.svc/openid/v1/jwks",
            ],
        );
        plane.write_kubeconfig(port, "");
        let ready = ["--context=admin", "get", "--raw=/readyz"];
        plane.wait_for("the API server", || plane.kubectl(&ready).exit == 0);
        plane.serve(
            "kube-controller-manager",
            &[
                "--kubeconfig=kubeconfig",
                "--leader-elect=false",
                "--secure-port=0",
                "--controllers=namespace-controller,serviceaccount-controller",
            ],
        );
        let account = ["get", "serviceaccount", "default"];
        plane.wait_for("the controllers", || plane.kubectl(&account).exit == 0);
        plane.kubectl(&["create", "serviceaccount", "nobody"]).ok();
        let token = plane.kubectl(&["create", "token", "nobody"]).ok().out;
        plane.write_kubeconfig(port, token.trim());
        Some(plane)
    }

    /// A file of this control plane.
    pub fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn serve(&mut self, program: &str, options: &[&str]) {
        let log = std::fs::File::create(self.path(&format!("{program}.log"))).unwrap();
        let child = Command::new(self.programs.join(program))
            .args(options)
            .current_dir(self.temp.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.servers.push(Server(child));
    }

    #[track_caller]
    fn wait_for(&self, what: &str, ready: impl Fn() -> bool) {
        let start = Instant::now();
        while !ready() {
            if start.elapsed() > START {
                for entry in std::fs::read_dir(self.temp.path()).unwrap() {
                    let path = entry.unwrap().path();
                    if path.extension().is_some_and(|end| end == "log") {
                        let text = std::fs::read_to_string(&path).unwrap();
                        let last: Vec<&str> = text.lines().rev().take(20).collect();
                        eprintln!("{}: {last:#?}", path.display());
                    }
                }
                panic!("{what} did not come up");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn write_kubeconfig(&self, port: u16, nobody: &str) {
        let cluster = |port: u16| {
            json!({
                "server": format!("https://127.0.0.1:{port}"),
                "certificate-authority": self.path("tls/apiserver.crt"),
            })
        };
        let context = |name: &str, cluster: &str, user: &str| json!({"name": name, "context": {"cluster": cluster, "user": user}});
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "admin",
            "clusters": [
                {"name": "here", "cluster": cluster(port)},
                {"name": "dead", "cluster": cluster(free_port())},
            ],
            "users": [
                {"name": "admin", "user": {"token": ADMIN}},
                {"name": "nobody", "user": {"token": nobody}},
            ],
            "contexts": [
                context("admin", "here", "admin"),
                context("nobody", "here", "nobody"),
                context("dead", "dead", "admin"),
            ],
        });
        std::fs::write(self.path("kubeconfig"), config.to_string()).unwrap();
    }

    /// Runs a command with these programs on this cluster, and none of the user's
    /// files.
    fn run(&self, mut command: Command) -> Run {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let dirs = std::iter::once(self.programs.to_owned()).chain(std::env::split_paths(&path));
        command
            .current_dir(self.temp.path())
            .env("PATH", std::env::join_paths(dirs).unwrap())
            .env("KUBECONFIG", self.path("kubeconfig"))
            .env("HOME", self.temp.path())
            .env("NO_COLOR", "1");
        end(command)
    }

    pub fn kubectl(&self, words: &[&str]) -> Run {
        let mut kubectl = Command::new(self.programs.join("kubectl"));
        kubectl.args(words);
        self.run(kubectl)
    }

    /// Runs `cargo xtask` on a context, with a state directory of its own.
    pub fn xtask(&self, context: &str, words: &[&str]) -> Run {
        let mut xtask = Command::new(xtask());
        xtask
            .args(["--on", "cluster", "--context", context, "--state"])
            .arg(self.path(&format!("état of {context}")))
            .args(words);
        self.run(xtask)
    }

    /// Applies an object that is no manifest of the repository.
    pub fn apply(&self, object: &Value) {
        let file = self.path("object.json");
        std::fs::write(&file, object.to_string()).unwrap();
        let file = file.to_str().unwrap();
        self.kubectl(&["apply", "--server-side", "--filename", file])
            .ok();
    }
}
