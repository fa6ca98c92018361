//! What differs between Linux and macOS: who a process is, and who listens.

use std::fmt;
use std::path::{Path, PathBuf};

/// When a process started, as text that no other process of the same pid has:
/// the boot and the clock ticks since on Linux, the second on macOS. `None`
/// where there is no such process or it has ended and waits to be reaped.
pub fn started(pid: u32) -> Option<String> {
    if cfg!(target_os = "linux") {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold anything, so count from its end.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        // The first thread may be a zombie while others still hold the ports.
        let threads = || std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
        (*fields.first()? != "Z" || threads() > 1).then_some(())?;
        Some(format!("{}:{}", boot.trim(), fields.get(19)?))
    } else {
        let text = ps(pid, "state=,lstart=")?;
        let (state, started) = text.trim().split_once(char::is_whitespace)?;
        (!state.starts_with('Z')).then(|| started.trim().to_owned())
    }
}

/// The memory that a process has in use, in KiB.
pub(crate) fn memory(pid: u32) -> Option<u64> {
    if cfg!(target_os = "linux") {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    } else {
        ps(pid, "rss=")?.trim().parse().ok()
    }
}

fn ps(pid: u32, columns: &str) -> Option<String> {
    let shell = xshell::Shell::new().ok()?;
    let pid = pid.to_string();
    xshell::cmd!(shell, "/bin/ps -o {columns} -p {pid}")
        .env("LC_ALL", "C")
        // The start would otherwise be another text in another time zone.
        .env("TZ", "UTC0")
        .quiet()
        .ignore_stderr()
        .read()
        .ok()
}

/// A process that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listener {
    /// Its process id and name; `None` where it belongs to another user.
    pub process: Option<(u32, String)>,
    /// The state directory of the Sigstore that it is a server of.
    pub sigstore: Option<PathBuf>,
    /// The user whose it is, where it is another's and the system tells.
    pub user: Option<String>,
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.sigstore, &self.process, &self.user) {
            (Some(state), ..) => write!(f, "the Sigstore of {}", state.display()),
            (_, Some((pid, name)), _) => write!(f, "{name} (process {pid})"),
            (_, _, Some(user)) => write!(f, "a process of {user}"),
            _ => f.write_str("a process of another user"),
        }
    }
}

/// Who listens on a port of 127.0.0.1, as far as the system tells.
pub(crate) fn listener(port: u16) -> Option<Listener> {
    let (process, user) = if cfg!(target_os = "linux") {
        listener_of_proc(port)?
    } else {
        (Some(listener_of_lsof(port)?), None)
    };
    Some(Listener {
        sigstore: process.as_ref().and_then(|(pid, _)| state_of(*pid)),
        user: user.filter(|_| process.is_none()),
        process,
    })
}

fn listener_of_lsof(port: u16) -> Option<Process> {
    let shell = xshell::Shell::new().ok()?;
    let filter = format!("-iTCP:{port}");
    let lines = xshell::cmd!(shell, "/usr/sbin/lsof -nP {filter} -sTCP:LISTEN -Fpc")
        .quiet()
        .ignore_stderr()
        .read()
        .ok()?;
    let field = |tag: char| lines.lines().find_map(|line| line.strip_prefix(tag));
    Some((field('p')?.parse().ok()?, field('c')?.to_owned()))
}

/// A process: its id and name.
type Process = (u32, String);

/// The process, where it may be looked at, and the user's name.
fn listener_of_proc(port: u16) -> Option<(Option<Process>, Option<String>)> {
    let (uid, inode) = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .find_map(|table| listening_socket(table, &format!(":{port:04X}")))?;
    let all = std::fs::read_dir("/proc").ok()?.flatten();
    let mut pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let process = pids.find(|pid| holds(*pid, &inode)).map(|pid| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        (pid, name.trim().to_owned())
    });
    Some((process, user_name(&uid)))
}

/// The state directory of the Sigstore that a process is a server of: it runs in the
/// directory of a target, which has settings.
fn state_of(pid: u32) -> Option<PathBuf> {
    let target = directory(pid)?;
    let state = target.parent()?;
    let is_ours = target.join("settings.json").is_file() && state.join("version").is_file();
    is_ours.then(|| state.to_owned())
}

/// The name of a user, from passwd(5).
fn user_name(uid: &str) -> Option<String> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

/// The program that a process runs.
pub(crate) fn program(pid: u32) -> Option<PathBuf> {
    if cfg!(target_os = "linux") {
        std::fs::read_link(format!("/proc/{pid}/exe")).ok()
    } else {
        Some(ps(pid, "comm=")?.trim().into())
    }
}

/// The directory in which a process runs.
pub(crate) fn directory(pid: u32) -> Option<PathBuf> {
    if cfg!(target_os = "linux") {
        return std::fs::read_link(format!("/proc/{pid}/cwd")).ok();
    }
    let shell = xshell::Shell::new().ok()?;
    let pid = pid.to_string();
    let lines = xshell::cmd!(shell, "/usr/sbin/lsof -a -p {pid} -d cwd -Fn")
        .quiet()
        .ignore_stderr()
        .read()
        .ok()?;
    lines
        .lines()
        .find_map(|line| Some(line.strip_prefix('n')?.into()))
}

/// Whether it is this process that answers on a port of 127.0.0.1.
pub(crate) fn listens(pid: u32, port: u16) -> bool {
    if !cfg!(target_os = "linux") {
        let process = listener(port).and_then(|listener| listener.process);
        return process.is_some_and(|(found, _)| found == pid);
    }
    // In the byte order of the machine, as the kernel prints it.
    let address = u32::from_ne_bytes([127, 0, 0, 1]);
    let socket = listening_socket("/proc/net/tcp", &format!("{address:08X}:{port:04X}"));
    socket.is_some_and(|(_, inode)| holds(pid, &inode))
}

/// Whether a process has a socket open.
fn holds(pid: u32, inode: &str) -> bool {
    let wanted = format!("socket:[{inode}]");
    let files = std::fs::read_dir(format!("/proc/{pid}/fd"));
    files
        .into_iter()
        .flatten()
        .flatten()
        .any(|file| std::fs::read_link(file.path()).is_ok_and(|to| to == Path::new(&wanted)))
}

/// The user and the inode of the socket that listens where an address ends so, from a table
/// of proc(5).
fn listening_socket(table: &str, ending: &str) -> Option<(String, String)> {
    const LISTEN: &str = "0A";
    std::fs::read_to_string(table)
        .ok()?
        .lines()
        .skip(1)
        .find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (local, state) = (fields.get(1)?, fields.get(3)?);
            let (uid, inode) = (*fields.get(7)?, *fields.get(9)?);
            let listens = local.ends_with(ending) && *state == LISTEN;
            listens.then(|| (uid.to_owned(), inode.to_owned()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_runs_and_uses_memory() {
        let me = std::process::id();
        assert!(started(me).is_some());
        assert_eq!(started(me), started(me));
        assert!(memory(me).unwrap() > 100);
    }

    /// Another one may listen on the same port of all addresses, and is not asked then.
    #[test]
    fn the_same_port_of_another_address_is_another_listener() {
        let socket = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        assert!(!listens(std::process::id(), port));
    }

    #[test]
    fn a_listener_is_named() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let found = listener(socket.local_addr().unwrap().port()).unwrap();
        let me = std::process::id();
        assert!(
            found.to_string().contains(&format!("(process {me})")),
            "{found}"
        );
        assert!(listens(me, socket.local_addr().unwrap().port()));
        assert!(!listens(1, socket.local_addr().unwrap().port()));
        assert_eq!(program(me), std::env::current_exe().ok());
        assert_eq!(directory(me), std::env::current_dir().ok());
    }

    /// As the servers do: they run in the directory of their target.
    #[test]
    fn the_sigstore_of_a_server_is_found() {
        let temp = tempfile::tempdir().unwrap();
        let state = temp.path().canonicalize().unwrap();
        let target = state.join("local");
        std::fs::create_dir(&target).unwrap();
        let mut server = std::process::Command::new("sleep");
        let mut server = server.arg("60").current_dir(&target).spawn().unwrap();
        let before = state_of(server.id());
        std::fs::write(state.join("version"), "1").unwrap();
        std::fs::write(target.join("settings.json"), "{}").unwrap();
        let after = state_of(server.id());
        server.kill().unwrap();
        server.wait().unwrap();
        assert_eq!((before, after), (None, Some(state)));
    }

    #[test]
    fn a_user_is_named() {
        assert_eq!(user_name("0").as_deref(), Some("root"));
        assert_eq!(user_name("4000000000"), None);
    }
}
