//! The wait for a server: until it answers, or ends, or takes too long.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::process_record::{ProcessRecord, record};
use crate::exec::interrupt;
use crate::fail::broken;
use crate::http;

/// How often a condition is looked at.
pub(super) const POLL: Duration = Duration::from_millis(15);

/// Waits until a server answers.
///
/// # Errors
/// Where it ends first (its log's last lines are the tail), where it does not
/// answer in time, or where the user interrupts.
pub(crate) fn until_ready(dir: &Path, name: &str, address: &str, within: Duration) -> Result<()> {
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
pub(crate) fn answers(address: &str) -> bool {
    match address.strip_prefix("tcp://") {
        Some(socket) => socket.parse().is_ok_and(|socket: SocketAddr| {
            TcpStream::connect_timeout(&socket, Duration::from_secs(1)).is_ok()
        }),
        None => http::get(address, Duration::from_secs(2)).is_ok(),
    }
}

/// The last lines of what a run of a server printed.
pub(crate) fn last_lines(dir: &Path, record: &ProcessRecord, count: usize) -> Vec<String> {
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
