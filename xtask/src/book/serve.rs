//! Shows a book on loopback with mdBook's own server, until the user interrupts.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use anyhow::Result;

use crate::exec::each_line_of;
use crate::exec::interrupt;
use crate::fail::{Fail, broken};
use crate::local::wait;
use crate::plan::Command;

/// How often it is asked whether the book is shown, or has to end.
const EACH: Duration = Duration::from_millis(20);

/// Fails where another program listens on a port of this machine's loopback.
pub(crate) fn refuse_taken(port: u16) -> Result<(), Fail> {
    let taken = |error| {
        broken(format!("port {port} on 127.0.0.1 is taken ({error})"))
            .hint("name another: cargo xtask book --serve --port N")
    };
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map(drop)
        .map_err(taken)
}

/// Runs a server until the user interrupts, which is how it is meant to end; the
/// caller keeps a watch. `shown` is called once it answers at its address.
pub(crate) fn show(server: &Command, url: &str, shown: impl FnOnce()) -> Result<()> {
    std::thread::scope(|scope| {
        let running = scope.spawn(|| each_line_of(server, &mut |_| true));
        let goes_on = || !running.is_finished() && !interrupt::interrupted();
        while goes_on() && !wait::answers(url) {
            std::thread::sleep(EACH);
        }
        if goes_on() {
            shown();
        }
        while goes_on() {
            std::thread::sleep(EACH);
        }
        let interrupted = interrupt::interrupted();
        interrupt::stop_children();
        match running.join() {
            Ok(Ok(())) if interrupted => Ok(()),
            Ok(Err(error)) => Err(error),
            _ => Err(broken("mdBook has stopped showing the book").into()),
        }
    })
}
