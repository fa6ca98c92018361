//! Ports that no other test uses.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};

/// How many ports an installation uses, rounded up.
pub const SIZE: u16 = 16;

/// The blocks of ports: above those of an installation that names none, and below
/// those that systems hand out.
const FIRST: u16 = 18_000;
const BLOCKS: u16 = 800;

/// Sixteen ports, held against other tests for as long as this lives.
pub struct Ports {
    /// The lowest of them.
    pub base: u16,
    _behind: TcpListener,
}

impl Ports {
    /// Ports that are free now. Tests of one process never get the same, and the
    /// port behind them is taken to hold off those of another.
    ///
    /// The others are looked at by connecting: a listener that was bound and closed
    /// again could live on for a moment in a process that another thread starts.
    pub fn free() -> Ports {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        // Processes begin at different places, so that they seldom meet.
        let start = u16::try_from(std::process::id() % u32::from(BLOCKS)).unwrap();
        for _ in 0..BLOCKS {
            let block = (start + NEXT.fetch_add(1, Ordering::Relaxed)) % BLOCKS;
            let base = FIRST + block * (SIZE + 1);
            let behind = base + SIZE;
            let Ok(guard) = TcpListener::bind((Ipv4Addr::LOCALHOST, behind)) else {
                continue;
            };
            let is_free = |port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err();
            if (base..behind).all(is_free) {
                return Ports {
                    base,
                    _behind: guard,
                };
            }
        }
        panic!("no free ports");
    }
}

/// One port that is free now, for a server that takes it at once.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Listens on a port, as another program would that has it.
pub fn take(port: u16) -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap()
}
