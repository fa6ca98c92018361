//! The servers as processes: started detached, remembered with pid and start
//! time, asked to stop. No daemon of ours watches them.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

pub(crate) use super::process_record::{ProcessRecord, fingerprint, record, running, was_started};

use super::platform;
use super::ports::free;
use super::process_record::record_path;
use super::wait::{POLL, answers};
use crate::exec::started;
use crate::fail::broken;
use crate::state;
use crate::time;

/// How long a server may take to stop before it is ended.
const GRACE: Duration = Duration::from_secs(5);

/// Logs larger than this are set aside when their server starts again.
const LARGE_LOG: u64 = 8 * 1024 * 1024;

/// What to start.
pub(crate) struct LaunchRequest<'a> {
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

/// The process of a server that is about to be started. Where it stays in a record, this
/// program was killed before it could write another.
const UNKNOWN: u32 = 0;

/// How long such a server may take until it listens.
const BEGINS: Duration = Duration::from_secs(1);

/// Starts a server, detached from this process and its terminal. One that runs
/// as asked is left alone; one that runs otherwise is stopped first.
pub(crate) fn launch(launch: &LaunchRequest<'_>) -> Result<ProcessRecord> {
    let LaunchRequest {
        dir,
        name,
        words,
        uses,
        ports,
        ready,
        ref version,
        ..
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
    // One that nobody could remember any more, since this program was killed.
    end_lost(dir, name, ports)?;
    for port in ports {
        free(*port)?;
    }
    let (log, log_from) = open_log(dir, name)?;
    let mut record = ProcessRecord {
        pid: UNKNOWN,
        started: String::new(),
        since: time::now(),
        log: Path::new("logs").join(format!("{name}.log")),
        log_from,
        version: version.clone(),
        fingerprint,
    };
    state::write_json(&record_path(dir, name), &record)?;
    let mut child = spawn(launch, &log).inspect_err(|_| {
        let _ = state::forget(&record_path(dir, name));
    })?;
    record.pid = child.id();
    record.started = platform::started(record.pid).unwrap_or_default();
    // A server that no record names could not be stopped any more.
    if let Err(error) = state::write_json(&record_path(dir, name), &record) {
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    Ok(record)
}

fn spawn(launch: &LaunchRequest<'_>, log: &File) -> Result<Child> {
    let (program, args) = launch
        .words
        .split_first()
        .context("a server without a program")?;
    let inherited = INHERITED
        .iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)));
    let mut server = std::process::Command::new(program);
    server
        .env_clear()
        .envs(inherited)
        .args(args)
        .envs(launch.env.iter().map(|(name, value)| (name, value)))
        .current_dir(launch.dir)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log.try_clone()?)
        // A process group of its own: neither Ctrl-C nor a closed terminal
        // reaches the server.
        .process_group(0);
    started(&mut server).map_err(|error| {
        broken(format!("{program} could not be started: {error}"))
            .hint("cargo xtask install")
            .into()
    })
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

/// Ends the process of a server that no record names: it listens on the server's ports,
/// runs in the target's directory and is a program that an install built, so it is
/// nobody else's.
fn end_lost(dir: &Path, name: &str, ports: &[u16]) -> Result<()> {
    // It may be on its way to its port.
    if record(dir, name).is_ok_and(|record| record.is_some_and(|record| record.pid == UNKNOWN)) {
        let until = Instant::now() + BEGINS;
        let listens = || ports.iter().any(|port| platform::listener(*port).is_some());
        while !listens() && Instant::now() < until {
            std::thread::sleep(POLL);
        }
    }
    let built = super::build::cache_dir()?.join("servers");
    let here = dir.canonicalize().ok();
    let ours = |pid| {
        let program = platform::program(pid);
        program.is_some_and(|path| path.starts_with(&built)) && platform::directory(pid) == here
    };
    for listener in ports.iter().filter_map(|port| platform::listener(*port)) {
        if let Some((pid, _)) = listener.process.filter(|(pid, _)| ours(*pid)) {
            end(name, pid, || platform::started(pid).is_some())?;
        }
    }
    Ok(())
}

/// Stops a server: asks, and after five seconds ends it. One that does not run
/// is stopped already. Where no record names it, it is found by its ports.
pub fn halt(dir: &Path, name: &str, ports: &[u16]) -> Result<()> {
    match running(dir, name) {
        Ok(Some(record)) => end(name, record.pid, || record.alive())?,
        Ok(None) | Err(_) => end_lost(dir, name, ports)?,
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
    let number = number.context("a process id that cannot be")?;
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

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;
    use crate::exec::without_starts;

    /// A port that was found free can be listened on, whatever is started meanwhile: a
    /// child holds what is open here until it runs its program.
    #[test]
    fn a_free_port_is_free_while_children_start() {
        // In a process of its own: the other tests start children in ways of their own.
        const ALONE: &str = "WORKSHOP_TEST_ALONE";
        if std::env::var_os(ALONE).is_none() {
            let name = "local::process::tests::a_free_port_is_free_while_children_start";
            let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
            let alone = alone
                .args([name, "--exact"])
                .env(ALONE, "1")
                .output()
                .unwrap();
            assert!(
                alone.status.success(),
                "{}",
                String::from_utf8_lossy(&alone.stdout)
            );
            return;
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let ended = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                        let mut child = std::process::Command::new("true");
                        // As a server is started.
                        let child = child.process_group(0).env_clear().current_dir("/");
                        started(child).unwrap().wait().unwrap();
                    }
                });
            }
            // Another process listens there, which no child of this one holds open.
            let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err();
            let taken = (0..3000).filter(|_| free(port).is_err() || without_starts(listen));
            let taken = taken.count();
            ended.store(true, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(taken, 0);
        });
    }
}
