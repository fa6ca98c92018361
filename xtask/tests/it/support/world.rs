//! What the tests share: a world of their own, fake programs, ports, snapshots.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use xtask::local::process;
use xtask::local::build::ServerBuild;

/// What a fake Dex hands out. It must never be seen anywhere but in its file.
pub const TOKEN: &str = "header.fake-identity-token.signature";

/// The lowest port where none is chosen.
const PORT_BASE: u16 = 17800;

/// Alice's password, which must never be seen at all.
pub const PASSWORD: &str = "password-of-alice";

/// The digest that the fake cosign finds behind every tag.
pub const DIGEST: &str = "sha256:5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// Tools of the system that plans and fakes use; all else on the PATH is fake.
const TOOLS: [&str; 7] = ["cp", "ln", "ls", "mkdir", "mv", "rm", "sh"];

/// The servers' programs, those that a complete build must have.
const PROGRAMS: [&str; 7] = [
    "cosign",
    "createtree",
    "ct_server",
    "dex",
    "loopback",
    "posix",
    "registry",
];

/// A Go that is new enough. Its build makes links to the fake programs.
pub const GO: &str = r#"
case "$1 $2" in
"env GOVERSION") echo go1.99.0 ;;
"mod edit") echo '{"Require": [{"Path": "github.com/dexidp/dex", "Version": "v2.99.0"}]}' ;;
"list "*)
  echo "go: downloading example.com/module v1.0.0" >&2
  echo example.com/one
  echo example.com/two
  ;;
"build "*)
  while [ "$1" != -o ]; do shift; done
  mkdir -p "$2"
  for program in cosign createtree ct_server dex loopback posix registry; do
    ln -sf "$FAKES/program" "$2$program"
  done
  echo example.com/one >&2
  echo example.com/two >&2
  ;;
esac
"#;

/// A cosign that signs and verifies everything. What it is given as the token
/// is kept for the test to look at.
pub const COSIGN: &str = r#"
case $1 in
triangulate)
  for image in "$@"; do :; done
  case $image in
  *@*) echo "$image" ;;
  *) echo "${image%:*}@sha256:5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a" ;;
  esac
  ;;
sign | sign-blob)
  while [ $# -gt 0 ]; do
    case $1 in
    --identity-token)
      ls -l "$2" >"$FAKES/token-mode"
      cp "$2" "$FAKES/token"
      ;;
    --bundle)
      cp "$FAKES/bundle" "$2"
      # No two bundles are the same.
      case $2 in *-1.json) echo >>"$2" ;; esac
      ;;
    esac
    shift
  done
  ;;
trusted-root | signing-config) echo '{}' ;;
esac
"#;

/// A helper that makes every key it is asked for, and servers that wait.
pub const LOOPBACK: &str = r#"
case $1 in
make)
  shift
  while [ $# -gt 0 ]; do
    mkdir -p "${2%/*}"
    if [ "$1" = users ]; then
      cp "$FAKES/users.yml" "$2.yml"
    else
      for ending in key pem pub; do echo "$1" >"$2.$ending"; done
    fi
    shift 2
  done
  ;;
sample) mkdir -p data/registry/docker/registry/v2/repositories/sample/_manifests/tags/latest ;;
*) exec /bin/sleep 300 ;;
esac
"#;

/// A server that does nothing but run.
pub const SERVER: &str = "echo it runs\nexec /bin/sleep 300\n";

/// Everything one test touches: a state directory, a home, a PATH.
pub struct World {
    pub root: PathBuf,
    pub state: PathBuf,
    /// The target.
    pub on: &'static str,
    /// The lowest port of the installation.
    pub base: u16,
    /// Holds the ports of this test against those of others.
    _guard: Option<TcpListener>,
    _temp: TempDir,
}

/// What a run of the program came to.
#[derive(Debug)]
pub struct Run {
    pub exit: i32,
    /// Standard output and standard error, redacted.
    pub out: String,
    pub err: String,
    /// Standard output as it was.
    pub raw: String,
}

impl World {
    /// Nothing is installed, every program is fake, and ports are only printed.
    pub fn new() -> World {
        World::on(PORT_BASE, None)
    }

    /// The same on ports that nobody else uses, for tests that listen.
    pub fn on_free_ports() -> World {
        let (base, guard) = free_ports();
        World::on(base, Some(guard))
    }

    fn on(base: u16, guard: Option<TcpListener>) -> World {
        // On the disk that cargo builds on: `preflight` wants 6 GB there.
        let temp = tempfile::Builder::new()
            .prefix("cli-")
            .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
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
            ("createtree", "echo 4711"),
        ] {
            world.fake(name, does);
        }
        for server in ["ct_server", "dex", "posix", "registry"] {
            world.fake(server, SERVER);
        }
        world.write("fakes/users.yml", &users());
        world.write("fakes/bundle", include_str!("fakes/rekor-v2.sigstore.json"));
        world
    }

    /// Built, and installed with this version of Rekor; nothing runs.
    pub fn installed(self, rekor: &str) -> World {
        fs::create_dir_all(self.servers()).unwrap();
        for program in PROGRAMS {
            symlink(self.path("fakes/program"), self.servers().join(program)).unwrap();
        }
        self.write_in(&self.servers(), "go.mod.json", r#"{"Require": []}"#);
        self.write_state("version", "1\n");
        let since = r#"{"since": "2026-01-02T03:04:05Z", "until": null}"#;
        let settings = format!(
            r#"{{"port_base": {}, "rekor": "{rekor}", "created": "2026-01-02T03:04:05Z", "fulcio": [{since}], "timestamp": [{since}]}}"#,
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
        let hash = ServerBuild::of(repo()).unwrap().dir().to_owned();
        self.path("cache/servers").join(hash.file_name().unwrap())
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

    /// The same, and begins anew.
    pub fn forget_calls(&self) -> String {
        let calls = self.calls();
        let _ = fs::remove_file(self.path("fakes/calls"));
        calls
    }

    /// The program with nothing in its environment but this world, and no
    /// options yet.
    pub fn bare(&self) -> Command {
        self.bare_of(Path::new(env!("CARGO_BIN_EXE_xtask")))
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
            (repo().to_owned(), "[REPO]"),
        ];
        let mut text = text.to_owned();
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
        for before in ["/token-", "/bundle-", " --id ", "process ", "[STATE]."] {
            text = replaced_after(before, "0123456789", "[PID]", &text);
        }
        replaced_after("-time=", "0123456789-:TZ", "[TIME]", &text)
    }

    /// A Dex that gives everybody the token.
    pub fn dex(&self) -> Web {
        Web::on(self.base, all_servers)
    }

    /// Answers for the fake servers: each on its port once it was started.
    pub fn answer_for_servers(&self) -> Answers {
        let servers = [
            ("/dex 'serve'", 0),
            ("/loopback 'fulcio'", 1),
            ("/ct_server '", 2),
            ("/loopback 'trillian'", 3),
            ("/loopback 'timestamp'", 4),
            ("/posix 'serve'", 5),
            ("/loopback 'tiles'", 8),
            ("/loopback 'rekor-v1'", 9),
            ("/registry 'serve'", 10),
        ];
        let (calls, base) = (self.path("fakes/calls"), self.base);
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            let mut waiting = servers.to_vec();
            let mut answering = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let calls = fs::read_to_string(&calls).unwrap_or_default();
                waiting.retain(|(call, offset)| {
                    let started = calls.contains(call);
                    if started {
                        answering.push(Web::on(base + offset, all_servers));
                    }
                    !started
                });
                std::thread::sleep(POLL);
            }
        });
        Answers(ended, Some(thread))
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
        let raw = String::from_utf8(output.stdout).unwrap();
        Run {
            // A run that a signal ended has no exit status, and none is -1.
            exit: output.status.code().unwrap_or(-1),
            out: self.0.redact(&raw),
            err: self.0.redact(&String::from_utf8(output.stderr).unwrap()),
            raw,
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

impl Run {
    /// All that a user sees of it.
    pub fn seen(&self) -> String {
        format!("{}{}exit {}\n", self.out, self.err, self.exit)
    }

    /// It succeeded, or the test fails with all that was said.
    #[track_caller]
    pub fn ok(self) -> Run {
        assert_eq!(self.exit, 0, "{}", self.seen());
        self
    }

    /// Every line of its output as JSON.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .collect()
    }
}

/// Compares with a file of `tests/snapshots`.
#[track_caller]
pub fn snapshot(name: &str, actual: &str) {
    compare(&repo().join("xtask/tests/snapshots").join(name), actual);
}

/// Compares with a file, or writes it anew.
#[track_caller]
pub fn compare(path: &Path, actual: &str) {
    let format = Some(snapbox::data::DataFormat::Text);
    // Raw, because help texts and Go templates hold what would be wildcards.
    let expected = snapbox::Data::read_from(path, format).raw();
    snapbox::Assert::new()
        .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
        .eq(actual, expected);
}

/// The text with a word replaced, but not where it is a part of a longer one: a
/// digest may hold the digits of a port.
fn replaced_word(word: &str, by: &str, text: &str) -> String {
    let mut parts = text.split(word);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let within =
            replaced.ends_with(char::is_alphanumeric) || part.starts_with(char::is_alphanumeric);
        replaced += if within { word } else { by };
        replaced += part;
    }
    replaced
}

/// The text with whatever of these characters follows each `before` replaced.
pub fn replaced_after(before: &str, characters: &str, by: &str, text: &str) -> String {
    let mut parts = text.split(before);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c| characters.contains(c));
        let by = if rest.len() < part.len() { by } else { "" };
        replaced += &format!("{before}{by}{rest}");
    }
    replaced
}

/// The repository that these tests belong to.
pub fn repo() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// How often a condition is looked at.
pub const POLL: Duration = Duration::from_millis(5);

/// Waits until a condition holds; the deadline only ends a test that fails.
#[track_caller]
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::sleep(POLL);
    }
}

fn users() -> String {
    let user = |name: &str| {
        format!(
            "- {{name: {name}, email: {name}@example.com, password: password-of-{name}, hash: hash-of-{name}, id: id-of-{name}}}\n"
        )
    };
    format!("users:\n{}", ["alice", "bob", "mallory"].map(user).concat())
}

/// Writes a program. Another process does it: had this one the file open, a
/// thread that forks meanwhile would keep it open and nobody could start it.
pub fn make_program(path: &Path, text: &str) {
    let mut child = Command::new("sh")
        .args(["-c", r#"cat >"$0" && chmod 755 "$0""#])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

/// Sixteen ports, the lowest first, that no other test uses while the listener
/// on the last of them lives. They are below those that systems hand out, and
/// not those of the end-to-end tests.
///
/// The others are looked at by connecting: a listener that was bound and closed
/// again could live on for a moment in a process that another thread starts.
fn free_ports() -> (u16, TcpListener) {
    const BLOCKS: u16 = 100;
    let start = u16::try_from(std::process::id() % u32::from(BLOCKS)).unwrap();
    for block in (0..BLOCKS).map(|n| (start + n) % BLOCKS) {
        let base = 31_100 + block * 16;
        let Ok(guard) = TcpListener::bind((Ipv4Addr::LOCALHOST, base + 15)) else {
            continue;
        };
        if (base..base + 15).all(|port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err()) {
            return (base, guard);
        }
    }
    panic!("no free ports");
}

/// Answers of fake servers, until it is dropped.
pub struct Answers(Arc<AtomicBool>, Option<JoinHandle<()>>);

impl Drop for Answers {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        let _ = self.1.take().unwrap().join();
    }
}

/// Answers HTTP on a port of 127.0.0.1, until it is dropped.
pub struct Web {
    port: u16,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Web {
    /// `answer` gets the request's path and writes the whole answer.
    pub fn on(port: u16, answer: impl Fn(&str, &mut TcpStream) + Send + 'static) -> Web {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                if let Some(path) = request(&mut stream) {
                    answer(&path, &mut stream);
                }
            }
        });
        Web {
            port,
            ended,
            thread: Some(thread),
        }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        // Wakes the thread up; a deadline, should it be busy with an answer.
        let _ = TcpStream::connect_timeout(&address, Duration::from_secs(10));
        let _ = self.thread.take().unwrap().join();
    }
}

/// Reads a whole request, so that closing the connection does not reset it, and
/// returns its path; `None` where nothing was asked.
fn request(stream: &mut TcpStream) -> Option<String> {
    let limit = Some(Duration::from_secs(10));
    stream.set_read_timeout(limit).ok()?;
    stream.set_write_timeout(limit).ok()?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(0, |length| length.trim().parse().unwrap());
    stream.read_exact(&mut vec![0; length]).ok()?;
    head.split_whitespace().nth(1).map(str::to_owned)
}

/// Writes an answer with this status.
pub fn answer(stream: &mut TcpStream, status: u16, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status} Fake\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
}

/// What any of the servers answers when it is well.
fn all_servers(path: &str, stream: &mut TcpStream) {
    let token = format!(r#"{{"id_token": "{TOKEN}"}}"#);
    let body = match path {
        "/dex/token" => token.as_str(),
        "/api/v2/checkpoint" => include_str!("../../data/rekor-v2/checkpoint-3"),
        "/api/v1/log" => r#"{"treeSize": 4}"#,
        "/workshop/ct/v1/get-sth" => r#"{"tree_size": 5}"#,
        _ => "",
    };
    answer(stream, 200, body.as_bytes());
}
