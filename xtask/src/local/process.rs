//! The servers as processes: started detached, remembered with pid and start
//! time, asked to stop. No daemon of ours watches them.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::platform;
use crate::exec::interrupt;
use crate::fail::broken;
use crate::format::hex::hex;
use crate::http;
use crate::state;
use crate::time;

/// How long a server may take to stop before it is ended.
const GRACE: Duration = Duration::from_secs(5);

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(15);

/// Logs larger than this are set aside when their server starts again.
const LARGE_LOG: u64 = 8 * 1024 * 1024;

/// `run/NAME.json`: a process that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its process id.
    pub pid: u32,
    /// When it started, as the system tells it: with the pid it names one
    /// process for ever.
    pub started: String,
    /// When it was started, RFC 3339.
    pub since: String,
    /// Its log file, relative to the target's directory.
    pub log: PathBuf,
    /// Where in its log this run begins, in bytes.
    pub log_from: u64,
    /// The version of its Go module, where it was known.
    pub version: Option<String>,
    /// Of its command line and the files it uses: another value asks for a
    /// restart.
    pub fingerprint: String,
}

impl Record {
    /// Whether this very process still runs.
    pub fn alive(&self) -> bool {
        platform::started(self.pid).as_deref() == Some(&self.started)
    }

    /// Names this run of the server: two runs never have the same.
    pub fn instance(&self) -> String {
        format!("{}@{}", self.pid, self.started)
    }
}

/// The record of a server, whether it still runs or not.
///
/// # Errors
/// Where the file is damaged.
pub fn record(dir: &Path, name: &str) -> Result<Option<Record>> {
    state::read_json(&record_path(dir, name))
}

/// Whether a server was started and not stopped since, whether it runs or not.
pub fn was_started(dir: &Path, name: &str) -> bool {
    record_path(dir, name).exists()
}

/// The record of a server that runs.
///
/// # Errors
/// Where the file is damaged.
pub fn running(dir: &Path, name: &str) -> Result<Option<Record>> {
    Ok(record(dir, name)?.filter(Record::alive))
}

fn record_path(dir: &Path, name: &str) -> PathBuf {
    dir.join("run").join(format!("{name}.json"))
}

/// A hash of a command line and of the files that the server reads.
pub fn fingerprint(dir: &Path, words: &[String], uses: &[String]) -> String {
    let mut hash = Sha256::new();
    for word in words {
        hash.update(word.as_bytes());
        hash.update([0]);
    }
    for file in uses {
        hash.update(std::fs::read(dir.join(file)).unwrap_or_default());
        hash.update([0]);
    }
    hex(&hash.finalize())
}

/// What to start.
pub struct Launch<'a> {
    /// The target's directory; the server runs in it.
    pub dir: &'a Path,
    /// The server's name.
    pub name: &'a str,
    /// Program and arguments.
    pub words: &'a [String],
    /// Environment variables.
    pub env: &'a [(String, String)],
    /// Files whose change asks for a restart.
    pub uses: &'a [String],
    /// Ports that must be free.
    pub ports: &'a [u16],
    /// Where it answers once it is ready.
    pub ready: &'a str,
    /// The version of its Go module, where it is known.
    pub version: Option<String>,
}

/// The variables of the caller that a server gets to see. Others could change
/// where it listens (`REGISTRY_HTTP_ADDR`) or what it trusts.
const INHERITED: [&str; 6] = ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ"];

/// How long a server that runs already may take to answer before it is started
/// again: one that was stopped or hangs never will.
const HANGS: Duration = Duration::from_secs(5);

/// Starts a server, detached from this process and its terminal. One that runs
/// as asked is left alone; one that runs otherwise is stopped first.
///
/// # Errors
/// Where a port is taken or the program cannot be started.
pub fn launch(launch: &Launch<'_>) -> Result<Record> {
    let Launch {
        dir,
        name,
        words,
        env,
        uses,
        ports,
        ready,
        ref version,
    } = *launch;
    let fingerprint = fingerprint(dir, words, uses);
    if let Some(record) = running(dir, name)? {
        let until = Instant::now() + HANGS;
        while record.fingerprint == fingerprint && record.alive() && Instant::now() < until {
            if answers(ready) {
                return Ok(record);
            }
            std::thread::sleep(POLL);
        }
        halt(dir, name, ports)?;
    }
    for port in ports {
        free(*port)?;
    }
    let (log, log_from) = open_log(dir, name)?;
    let (program, args) = words.split_first().context("a server without a program")?;
    let mut command = std::process::Command::new(program);
    command.env_clear();
    command.envs(
        INHERITED
            .iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?))),
    );
    let mut child = command
        .args(args)
        .envs(env.iter().map(|(name, value)| (name, value)))
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // A process group of its own: neither Ctrl-C nor a closed terminal
        // reaches the server.
        .process_group(0)
        .spawn()
        .map_err(|error| {
            broken(format!("{program} could not be started: {error}")).hint("cargo xtask install")
        })?;
    let pid = child.id();
    let record = Record {
        pid,
        started: platform::started(pid).unwrap_or_default(),
        since: time::now(),
        log: Path::new("logs").join(format!("{name}.log")),
        log_from,
        version: version.clone(),
        fingerprint,
    };
    // A server that nobody remembers could not be stopped any more.
    if let Err(error) = state::write_json(&record_path(dir, name), &record) {
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    Ok(record)
}

/// Checks that nobody listens on a port.
///
/// # Errors
/// Where somebody does; the sentence names them where the system tells.
pub fn free(port: u16) -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) => {
            let by = platform::listener(port)
                .map_or_else(|| format!("({error})"), |who| format!("by {who}"));
            Err(broken(format!("port {port} on 127.0.0.1 is taken {by}"))
                .hint("use other ports: cargo xtask install --port-base N")
                .into())
        }
    }
}

fn open_log(dir: &Path, name: &str) -> Result<(File, u64)> {
    let logs = dir.join("logs");
    state::make_dir(&logs)?;
    let path = logs.join(format!("{name}.log"));
    if std::fs::metadata(&path).is_ok_and(|meta| meta.len() > LARGE_LOG) {
        std::fs::rename(&path, logs.join(format!("{name}.log.old")))
            .context("set a large log aside")?;
    }
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("open {}", path.display()))?;
    let from = file.metadata()?.len();
    Ok((file, from))
}

/// Stops a server: asks, and after five seconds ends it. One that does not run
/// is stopped already. Where its record is damaged, it is found by its ports.
///
/// # Errors
/// Where a signal is refused, or the process does not end.
pub fn halt(dir: &Path, name: &str, ports: &[u16]) -> Result<()> {
    match running(dir, name) {
        Ok(None) => {}
        Ok(Some(record)) => end(name, record.pid, || record.alive())?,
        Err(_) => {
            let built = super::build::cache_dir()?.join("servers");
            for listener in ports.iter().filter_map(|port| platform::listener(*port)) {
                // Nobody else's process: only a program that an install built.
                let ours =
                    |pid| platform::program(pid).is_some_and(|path| path.starts_with(&built));
                if let Some((pid, _)) = listener.process.filter(|(pid, _)| ours(*pid)) {
                    end(name, pid, || platform::started(pid).is_some())?;
                }
            }
        }
    }
    match std::fs::remove_file(record_path(dir, name)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context("forget a process")
        }
        _ => Ok(()),
    }
}

fn end(name: &str, pid: u32, alive: impl Fn() -> bool) -> Result<()> {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let number = number.context("a process id that is none")?;
    for signal in [Signal::TERM, Signal::KILL] {
        let sent = kill_process(number, signal);
        let until = Instant::now() + GRACE;
        while alive() && Instant::now() < until {
            sent.with_context(|| format!("stop {name}, process {pid}"))?;
            std::thread::sleep(POLL);
        }
    }
    if alive() {
        return Err(broken(format!("{name}, process {pid}, does not end")).into());
    }
    Ok(())
}

/// Waits until a server answers.
///
/// # Errors
/// Where it ends first (its log's last lines are the tail), where it does not
/// answer in time, or where the user interrupts.
pub fn wait(dir: &Path, name: &str, address: &str, within: Duration) -> Result<()> {
    let asked = Instant::now();
    loop {
        if answers(address) {
            return Ok(());
        }
        let Some(record) = record(dir, name)? else {
            return Err(broken(format!("{name} was not started"))
                .hint("cargo xtask start")
                .into());
        };
        let log = || hint_log(name);
        if !record.alive() {
            return Err(broken(format!("{name} ended right after its start"))
                .tail(last_lines(dir, &record, 12))
                .hint(log())
                .into());
        }
        if asked.elapsed() > within {
            let seconds = within.as_secs();
            return Err(broken(format!(
                "{name} does not answer at {address} after {seconds} seconds"
            ))
            .tail(last_lines(dir, &record, 12))
            .hint(log())
            .into());
        }
        if interrupt::interrupted() {
            return Err(broken(format!("interrupted while waiting for {name}")).into());
        }
        std::thread::sleep(POLL);
    }
}

fn hint_log(name: &str) -> String {
    format!("read its whole log: cargo xtask logs {name}")
}

/// Whether something answers at `http://…` (with a 2xx) or `tcp://…`.
pub fn answers(address: &str) -> bool {
    match address.strip_prefix("tcp://") {
        Some(socket) => socket.parse().is_ok_and(|socket: SocketAddr| {
            TcpStream::connect_timeout(&socket, Duration::from_secs(1)).is_ok()
        }),
        None => http::get(address, Duration::from_secs(2)).is_ok(),
    }
}

/// The last lines of what a run of a server printed.
pub fn last_lines(dir: &Path, record: &Record, count: usize) -> Vec<String> {
    const MOST: u64 = 64 * 1024;
    let read = || -> std::io::Result<String> {
        let mut file = File::open(dir.join(&record.log))?;
        let from = record
            .log_from
            .max(file.metadata()?.len().saturating_sub(MOST));
        file.seek(SeekFrom::Start(from))?;
        let mut text = Vec::new();
        file.take(MOST).read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    let text = read().unwrap_or_default();
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines[lines.len().saturating_sub(count)..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pid that was recycled: the process runs, but it is another one.
    #[test]
    fn a_recycled_pid_is_another_process() {
        let me = std::process::id();
        let record = Record {
            pid: me,
            started: platform::started(me).unwrap(),
            since: time::now(),
            log: PathBuf::from("logs/x.log"),
            log_from: 0,
            version: None,
            fingerprint: String::new(),
        };
        assert!(record.alive());
        assert!(
            !Record {
                started: "another boot:1".into(),
                ..record
            }
            .alive()
        );
    }

    #[test]
    fn a_taken_port_is_named() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let error = free(port).unwrap_err().to_string();
        assert!(error.contains(&port.to_string()), "{error}");
    }
}
