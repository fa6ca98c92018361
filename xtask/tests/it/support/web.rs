//! HTTP servers that answer what a test has them answer.

use std::cell::Cell;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::fakes::TOKEN;
use super::wait::{POLL, wait_until};

/// Answers of fake servers, until it is dropped.
pub struct Answers(Arc<AtomicBool>, Option<JoinHandle<()>>);

impl Answers {
    /// Those of the fake servers of the local target: each on its port once the file of
    /// calls says that it was started.
    pub fn of_servers(calls: PathBuf, base: u16) -> Answers {
        let servers = [
            ("/dex 'serve'", 0),
            ("/loopback 'fulcio'", 1),
            ("/tesseract '", 2),
            ("/rekor-v1 'trillian'", 3),
            ("/loopback 'timestamp'", 4),
            ("/posix 'serve'", 5),
            ("/rekor-v2' '--below'", 8),
            ("/rekor-v1 'serve'", 9),
            ("/registry 'serve'", 10),
            ("/ctlog-1' '--below'", 11),
            ("/tuf 'serve'", 12),
        ];
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

impl Drop for Answers {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        let _ = self.1.take().unwrap().join();
    }
}

/// Listens on a port. Where a test listened on it before, a process that another test was
/// starting at that moment may hold that listener until it begins.
pub fn bind(port: u16) -> TcpListener {
    let bound = Cell::new(None);
    wait_until("the port is free", || {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => false,
            listener => {
                bound.set(Some(listener.unwrap()));
                true
            }
        }
    });
    bound.into_inner().unwrap()
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
        Web::with(bind(port), answer)
    }

    /// The same on a socket that listens already.
    pub fn with(
        listener: TcpListener,
        answer: impl Fn(&str, &mut TcpStream) + Send + 'static,
    ) -> Web {
        let port = listener.local_addr().unwrap().port();
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
pub fn all_servers(path: &str, stream: &mut TcpStream) {
    let token = format!(r#"{{"id_token": "{TOKEN}"}}"#);
    let body = match path {
        "/dex/token" => token.as_str(),
        "/api/v2/checkpoint" => include_str!("../../data/rekor-v2/checkpoint-3"),
        "/api/v1/log" => r#"{"treeSize": 4}"#,
        "/workshop/checkpoint" => include_str!("../../data/ctlog/checkpoint-12"),
        _ => "",
    };
    answer(stream, 200, body.as_bytes());
}
