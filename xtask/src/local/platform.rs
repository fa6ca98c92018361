//! What differs between Linux and macOS: who a process is, and who listens.

use std::path::Path;

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
pub fn memory(pid: u32) -> Option<u64> {
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
    xshell::cmd!(shell, "ps -o {columns} -p {pid}")
        .env("LC_ALL", "C")
        .quiet()
        .ignore_stderr()
        .read()
        .ok()
}

/// The seconds of CPU that the ended children of this process took, and theirs;
/// `None` where the system does not tell without more code than it is worth.
pub fn cpu_of_children() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    // cutime and cstime of proc(5), in clock ticks.
    let ticks: u64 = fields
        .get(13..15)?
        .iter()
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Who listens on a port of 127.0.0.1, as far as the system tells: `nginx
/// (process 1234)`. Processes of other users are not named.
pub fn listener(port: u16) -> Option<String> {
    if !cfg!(target_os = "linux") {
        let shell = xshell::Shell::new().ok()?;
        let filter = format!("-iTCP:{port}");
        let lines = xshell::cmd!(shell, "lsof -nP {filter} -sTCP:LISTEN -Fpc")
            .quiet()
            .ignore_stderr()
            .read()
            .ok()?;
        let field = |tag: char| {
            lines
                .lines()
                .find_map(|line| line.strip_prefix(tag))
                .map(str::to_owned)
        };
        return Some(format!("{} (process {})", field('c')?, field('p')?));
    }
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .find_map(|table| listening_inode(table, port))?;
    let wanted = format!("socket:[{inode}]");
    let numbered =
        |process: &std::fs::DirEntry| process.file_name().to_string_lossy().parse::<u32>().is_ok();
    for process in std::fs::read_dir("/proc").ok()?.flatten().filter(numbered) {
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        let holds = |file: std::fs::DirEntry| {
            std::fs::read_link(file.path()).is_ok_and(|to| to == Path::new(&wanted))
        };
        if files.flatten().any(holds) {
            let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!(
                "{} (process {})",
                name.trim(),
                process.file_name().to_string_lossy()
            ));
        }
    }
    Some("a process of another user".to_owned())
}

/// The inode of the socket that listens on a port, from a table of proc(5).
fn listening_inode(table: &str, port: u16) -> Option<String> {
    const LISTEN: &str = "0A";
    let ending = format!(":{port:04X}");
    std::fs::read_to_string(table)
        .ok()?
        .lines()
        .skip(1)
        .find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
            (local.ends_with(&ending) && *state == LISTEN).then(|| (*inode).to_owned())
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

    #[test]
    fn a_listener_is_named() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let name = listener(socket.local_addr().unwrap().port()).unwrap();
        assert!(name.contains(&std::process::id().to_string()), "{name}");
    }
}
