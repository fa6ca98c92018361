//! The processes of forwards, and the ports that they listen on.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;

use crate::exec::without_starts;
use crate::fail::{Fail, broken};
use crate::http;
use crate::local::{process, wait};
use crate::problems;
use crate::state;

/// Starts the process of a forward.
pub(crate) fn launch(dir: &Path, name: &str, words: &[String]) -> Result<()> {
    // What gets kubectl into a cluster may need any variable; it runs elsewhere, so
    // a relative path of its configuration would lead nowhere.
    let absolute = |paths: &str| {
        let paths =
            std::env::split_paths(paths).map(|path| std::path::absolute(&path).unwrap_or(path));
        std::env::join_paths(paths).ok()?.into_string().ok()
    };
    let env: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .map(|(name, value)| {
            let path = (name == "KUBECONFIG").then(|| absolute(&value)).flatten();
            (name, path.unwrap_or(value))
        })
        .collect();
    let number = |text: &str| text.parse::<u16>().ok();
    let port = words
        .iter()
        .filter_map(|word| word.split_once(':'))
        .find_map(|(here, there)| number(here).filter(|_| number(there).is_some()))
        .ok_or_else(|| broken("a forward without a port"))?;
    state::make_dir(dir)?;
    if process::running(dir, name)?.is_some() && !leads(port) {
        process::halt(dir, name, &[port])?;
    }
    process::launch(&process::LaunchRequest {
        dir,
        name,
        words,
        env: &env,
        uses: &[],
        ports: &[port],
        ready: &format!("tcp://127.0.0.1:{port}"),
        version: None,
    })
    .map(drop)
}

/// Whether a forward leads to a server that answers. One to a pod that was replaced still
/// listens until somebody connects. The registry tells in plain HTTP that it wants TLS.
pub(crate) fn leads(port: u16) -> bool {
    let nowhere = format!("http://127.0.0.1:{port}/workshop");
    http::speaks(&nowhere, Duration::from_secs(3))
}

/// Waits for a forward. Where it ends instead, the last words are those of kubectl.
pub(crate) fn until_open(dir: &Path, name: &str, url: &str, within: Duration) -> Result<()> {
    wait::until_ready(dir, name, url, within)
        .map_err(|error| problems::explain(Fail::from_error(&error)).into())
}

/// The names of the processes of all forwards that were started and not stopped: the
/// persistent ones, and what commands left that were killed.
pub(crate) fn remembered(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir.join("run")) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let is_record = path.extension()? == "json";
            is_record.then(|| Some(path.file_stem()?.to_string_lossy().into_owned()))?
        })
        .collect();
    names.sort();
    names
}

/// A free port, a different one each time: the ports found earlier may not be in use yet.
pub(super) fn free_port() -> std::io::Result<u16> {
    without_starts(found_port)
}

fn found_port() -> std::io::Result<u16> {
    static FOUND: Mutex<Vec<u16>> = Mutex::new(Vec::new());
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let mut held = Vec::new();
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        if !found.contains(&port) {
            found.push(port);
            return Ok(port);
        }
        // Kept bound, so that the next call finds another one.
        held.push(listener);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The ports of two forwards are looked for before either listens.
    #[test]
    fn no_free_port_is_found_twice() {
        let ports: BTreeSet<u16> = (0..2000).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 2000);
    }
}
