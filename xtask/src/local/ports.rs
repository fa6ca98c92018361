//! Which ports an installation takes: a whole block that is free, and the same one again.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use anyhow::Result;

use super::claims::Claim;
use super::platform;
use crate::exec::without_starts;
use crate::fail::{Fail, broken};

/// The lowest of the ports of this target, where nobody has them.
pub(crate) const PORT_BASE: u16 = 17_800;
/// How far the ports of a cluster's forwards are above those.
pub(crate) const OF_CLUSTER: u16 = 50;
/// How far the ports of a lab's Sigstore are above those.
const OF_LAB: u16 = 3000;

/// How many ports are kept free: more than any target takes.
const WIDTH: u16 = 20;
/// How far apart the blocks are among which one is looked for. The last two digits stay,
/// so that whoever reads a page finds its ports again.
const APART: u16 = 100;
/// From here on, systems hand out ports for connections (`ip_local_port_range` of Linux).
const END: u16 = 32_768;

/// The lowest port that `WORKSHOP_PORT_BASE` names.
pub(crate) fn from_environment() -> Result<Option<u16>, Fail> {
    const NAME: &str = "WORKSHOP_PORT_BASE";
    let Some(text) = std::env::var_os(NAME).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let port = text.to_str().and_then(|text| text.parse().ok());
    match port.filter(|port| (1024..=65_000).contains(port)) {
        Some(port) => Ok(Some(port)),
        None => Err(broken(format!(
            "{NAME} is {}, which is no port base",
            text.display()
        ))
        .hint("a port from 1024 to 65000, above which there is room for twenty")),
    }
}

/// The lowest port of an installation that is begun: what `WORKSHOP_PORT_BASE` says, and
/// so much more; otherwise what this directory had before, or the first block in which
/// nobody listens and that no other installation of this user has.
pub(crate) fn base(dir: &Path, more: u16) -> Result<u16, Fail> {
    if let Some(base) = from_environment()? {
        return Ok(base.saturating_add(more));
    }
    Ok(free_base(dir, PORT_BASE + more))
}

/// The lowest port of a lab's Sigstore: a free block above those of others.
pub(crate) fn of_lab(dir: &Path) -> Result<u16, Fail> {
    let base = from_environment()?.unwrap_or(PORT_BASE);
    Ok(free_base(dir, base.saturating_add(OF_LAB)))
}

/// A block that is free, as far as one can see, or the first where none is: whoever
/// starts a server in it then says who has the port.
pub(crate) fn free_base(dir: &Path, first: u16) -> u16 {
    let claims = Claim::all();
    let is_others = |base: u16| {
        let mut others = claims.iter().filter(|claim| claim.dir != dir);
        others.any(|claim| claim.is_installed() && claim.port_base.abs_diff(base) < WIDTH)
    };
    let own = claims.iter().find(|claim| claim.dir == dir);
    let own = own.map(|claim| claim.port_base).into_iter();
    let mut blocks = own.chain((first..END).step_by(APART.into()));
    let free = blocks.find(|base| !is_others(*base) && (*base..base + WIDTH).all(is_free));
    free.unwrap_or(first)
}

/// Whether nobody listens on a port.
fn is_free(port: u16) -> bool {
    listen(port).is_ok()
}

fn listen(port: u16) -> std::io::Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    without_starts(|| TcpListener::bind(address).map(drop))
}

/// Checks that no process listens on a port; the error names the one that does, where
/// the system tells.
pub(crate) fn free(port: u16) -> Result<()> {
    let Err(error) = listen(port) else {
        return Ok(());
    };
    let listener = platform::listener(port);
    let by = listener
        .as_ref()
        .map_or_else(|| format!("({error})"), |who| format!("by {who}"));
    let fail = broken(format!("port {port} on 127.0.0.1 is taken {by}"));
    let theirs = listener.and_then(|listener| listener.sigstore);
    Err(hinted(fail, theirs.as_deref()).into())
}

/// What to do about a port that another Sigstore or program has.
fn hinted(fail: Fail, sigstore: Option<&Path>) -> Fail {
    let fail = fail.hint(other_ports());
    match sigstore {
        Some(state) => fail.hint(end_the_other(state)),
        None => fail,
    }
}

/// The command that takes other ports.
pub(super) fn other_ports() -> String {
    let base = free_base(Path::new(""), PORT_BASE);
    format!("use other ports: cargo xtask install --port-base {base}")
}

/// The command that ends the Sigstore of another state directory.
pub(super) fn end_the_other(state: &Path) -> String {
    let state = crate::text::quote(&state.to_string_lossy());
    format!("or end what has them: cargo xtask --state {state} stop")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let error = free(port).unwrap_err().to_string();
        assert!(error.contains(&port.to_string()), "{error}");
    }

    #[test]
    fn a_block_in_which_somebody_listens_is_left_out() {
        // A port of this test's own, and a block that ends in it.
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = socket.local_addr().unwrap().port();
        let first = taken - WIDTH + 1;
        let found = free_base(Path::new("/nobody"), first);
        // Above the ports that are looked at, the first is as good as any.
        if first < END - APART {
            assert!(found >= first + APART, "{found}, though {taken} is taken");
            assert_eq!((found - first) % APART, 0);
        } else {
            assert_eq!(found, first);
        }
    }
}
