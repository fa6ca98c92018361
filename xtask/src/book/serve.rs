//! Shows the files of one directory on loopback, to whoever asks on this machine.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use crate::fail::{Fail, broken};
use crate::interrupt;

/// No browser asks for as much.
const LARGEST: u64 = 16 * 1024;

/// How long a browser may take to say what it wants, or to take it.
const WITHIN: Duration = Duration::from_secs(10);

/// A port that is held, on which nothing is shown yet.
pub struct Listening(TcpListener);

/// Holds a port of this machine's loopback.
///
/// # Errors
/// Where somebody else has it.
pub fn listen(port: u16) -> Result<Listening, Fail> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map(Listening)
        .map_err(|error| {
            broken(format!("port {port} on 127.0.0.1 is taken ({error})"))
                .hint("name another: cargo xtask book --serve --port N")
        })
}

impl Listening {
    /// Where a browser finds it.
    ///
    /// # Errors
    /// Where the system does not say.
    pub fn url(&self) -> Result<String> {
        let SocketAddr::V4(address) = self.0.local_addr()? else {
            return Err(broken("the port is none of IPv4").into());
        };
        Ok(format!("http://{address}/"))
    }

    /// Shows a directory until the user interrupts; the caller keeps a watch.
    ///
    /// # Errors
    /// Where the system takes the port away.
    pub fn show(&self, dir: &Path) -> Result<()> {
        self.0.set_nonblocking(true)?;
        while !interrupt::interrupted() {
            match self.0.accept() {
                Ok((stream, _)) => {
                    let dir = dir.to_owned();
                    // A browser that goes away is no failure.
                    std::thread::spawn(move || drop(answer(stream, &dir)));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// What a request is answered with.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// A file, and whether it is what was asked for.
    File(PathBuf, bool),
    /// It is at this path.
    Elsewhere(String),
    /// Nothing can be said to that.
    No(&'static str),
}

fn answer(stream: TcpStream, dir: &Path) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(WITHIN))?;
    stream.set_write_timeout(Some(WITHIN))?;
    let mut reader = BufReader::new(stream.take(LARGEST));
    let mut request = String::new();
    reader.read_line(&mut request)?;
    // What a browser says of itself changes nothing, but it wants to be read.
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let mut stream = reader.into_inner().into_inner();
    let head = request.starts_with("HEAD ");
    let (status, header, body) = match asked(&request, dir) {
        Answer::File(file, found) => {
            let status = if found { "200 OK" } else { "404 Not Found" };
            match std::fs::read(&file) {
                Ok(body) => (status, format!("Content-Type: {}", kind(&file)), body),
                Err(_) => (
                    "404 Not Found",
                    kind_of_text(),
                    b"there is no such page\n".to_vec(),
                ),
            }
        }
        Answer::Elsewhere(path) => (
            "301 Moved Permanently",
            format!("Location: {path}"),
            Vec::new(),
        ),
        Answer::No(status) => (status, kind_of_text(), Vec::new()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {}\r\nCache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    if !head {
        stream.write_all(&body)?;
    }
    stream.flush()
}

/// The answer to the first line of a request: `GET /page.html HTTP/1.1`.
fn asked(request: &str, dir: &Path) -> Answer {
    let mut words = request.split_whitespace();
    let (Some(method), Some(target), Some(_)) = (words.next(), words.next(), words.next()) else {
        return Answer::No("400 Bad Request");
    };
    if !["GET", "HEAD"].contains(&method) {
        return Answer::No("405 Method Not Allowed");
    }
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let Some(name) = path.strip_prefix('/').and_then(decoded) else {
        return Answer::No("400 Bad Request");
    };
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    let inside = Path::new(&name).components().all(plain) && !name.contains('\0');
    let file = dir.join(&name);
    if inside && file.is_dir() {
        return match name.is_empty() || name.ends_with('/') {
            true => Answer::File(file.join("index.html"), true),
            // Links of that page would lead elsewhere.
            false => Answer::Elsewhere(format!("{path}/")),
        };
    }
    match inside && file.is_file() {
        true => Answer::File(file, true),
        false => Answer::File(dir.join("404.html"), false),
    }
}

/// The text that percent signs stand for.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

fn kind_of_text() -> String {
    "Content-Type: text/plain; charset=utf-8".to_owned()
}

fn kind(file: &Path) -> &'static str {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_below_the_directory_is_shown() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("html");
        std::fs::create_dir_all(dir.join("sub")).unwrap();
        std::fs::write(temp.path().join("secret"), "").unwrap();
        for name in ["index.html", "a b.html", "sub/index.html"] {
            std::fs::write(dir.join(name), "").unwrap();
        }
        let get = |target: &str| asked(&format!("GET {target} HTTP/1.1\r\n"), &dir);
        let file = |name: &str| Answer::File(dir.join(name), true);
        let missing = || Answer::File(dir.join("404.html"), false);
        assert_eq!(get("/"), file("index.html"));
        assert_eq!(get("/?x=/../y#z"), file("index.html"));
        assert_eq!(get("/a%20b.html"), file("a b.html"));
        assert_eq!(get("/sub"), Answer::Elsewhere("/sub/".into()));
        assert_eq!(get("/sub/"), file("sub/index.html"));
        for outside in [
            "/../secret",
            "/%2e%2e/secret",
            "/sub/../../secret",
            "//etc/passwd",
            "/x%00",
            "/none",
        ] {
            assert_eq!(get(outside), missing(), "{outside}");
        }
        for nonsense in ["", "secret", "/%zz", "/%f", "http://127.0.0.1/"] {
            assert_eq!(get(nonsense), Answer::No("400 Bad Request"), "{nonsense}");
        }
        let post = asked("POST / HTTP/1.1\r\n", &dir);
        assert_eq!(post, Answer::No("405 Method Not Allowed"));
    }
}
