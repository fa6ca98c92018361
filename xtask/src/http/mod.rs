//! HTTP to the workshop's servers: bounded in time and size, without proxies.

mod curl;
mod loopback;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use crate::fail::{Fail, broken};
use crate::words;
pub(crate) use loopback::{get, post_form, post_json, speaks};

/// Answers larger than this are not read: none of the servers sends as much.
const LARGEST: u64 = 16 * 1024 * 1024;

/// An answer is looked for at no more further places than these.
const MOST_REDIRECTS: u32 = 5;

/// Why there is no answer: the status, where the server gave one.
#[derive(Debug)]
pub(crate) struct Unanswered {
    /// The status of the answer.
    pub(crate) status: Option<u16>,
    /// What to say of it.
    pub(crate) fail: Fail,
}

impl From<Fail> for Unanswered {
    fn from(fail: Fail) -> Unanswered {
        Unanswered { status: None, fail }
    }
}

impl From<Unanswered> for Fail {
    fn from(unanswered: Unanswered) -> Fail {
        unanswered.fail
    }
}

/// A server as this machine reaches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `http://…` on loopback, or `https://…` where an ingress shows it.
    pub url: String,
    /// Whose certificates count for `https://…`, PEM, and nobody else's; without one
    /// those that the system trusts.
    pub ca: Option<PathBuf>,
    /// Whether each request is reported on standard error, so that a reader sees how
    /// little of a log is fetched.
    pub traced: bool,
}

impl Server {
    /// One on loopback.
    pub fn at(url: impl Into<String>) -> Server {
        Server {
            url: url.into(),
            ca: None,
            traced: false,
        }
    }

    /// One whose certificate must be of this CA.
    pub fn with_ca(url: impl Into<String>, ca: PathBuf) -> Server {
        Server {
            ca: Some(ca),
            ..Server::at(url)
        }
    }

    /// Reads what is at a path.
    pub fn get(&self, path: &str, within: Duration) -> Result<Vec<u8>, Fail> {
        self.find(path, within)?
            .ok_or_else(|| not_ours(&format!("{}{path}", self.url), "404", &[]))
    }

    /// Reads what may not be at a path.
    pub fn find(&self, path: &str, within: Duration) -> Result<Option<Vec<u8>>, Fail> {
        self.find_at_most(path, LARGEST, within)
    }

    /// Reads what may not be at a path, of at most so many bytes.
    pub fn find_at_most(
        &self,
        path: &str,
        largest: u64,
        within: Duration,
    ) -> Result<Option<Vec<u8>>, Fail> {
        Ok(self.ask(path, None, largest, within)?)
    }

    /// Reads what may not be at a path, of one of these media types.
    pub(crate) fn find_of_type(
        &self,
        path: &str,
        accept: &str,
        within: Duration,
    ) -> Result<Option<Vec<u8>>, Unanswered> {
        self.ask(path, Some(accept), LARGEST, within)
    }

    /// Puts something of this media type there, by TLS.
    pub fn put(&self, path: &str, kind: &str, body: &[u8], within: Duration) -> Result<(), Fail> {
        let url = format!("{}{path}", self.url);
        let mut words = curl::words(&url, self.ca.as_deref(), within);
        let header = format!("Content-Type: {kind}");
        words.extend(words![
            "--request",
            "PUT",
            "--header",
            header,
            "--data-binary",
            "@-"
        ]);
        match curl::answer(&url, self.ca.as_deref(), words, Some(body))? {
            (200..=299, _) => Ok(()),
            (status, body) => Err(not_ours(&url, &status.to_string(), &body)),
        }
    }

    fn ask(
        &self,
        path: &str,
        accept: Option<&str>,
        largest: u64,
        within: Duration,
    ) -> Result<Option<Vec<u8>>, Unanswered> {
        let url = format!("{}{path}", self.url);
        if self.url.starts_with("https://") {
            let mut words = curl::words(&url, self.ca.as_deref(), within);
            // Registries alone keep blobs elsewhere; what comes is held against its digest.
            if accept.is_some() {
                let most = MOST_REDIRECTS.to_string();
                words.extend(words!["--location", "--max-redirs", most]);
            }
            let accept = format!("Accept: {}", accept.unwrap_or("*/*"));
            let largest = largest.to_string();
            words.extend(words!["--max-filesize", largest, "--header", accept]);
            let answer = curl::answer(&url, self.ca.as_deref(), words, None)?;
            return found(&url, self.traced, answer);
        }
        let answer = loopback::answer(&url, accept, largest, within)?;
        found(&url, self.traced, answer)
    }
}

fn found(
    url: &str,
    traced: bool,
    (status, body): (u16, Vec<u8>),
) -> Result<Option<Vec<u8>>, Unanswered> {
    if traced {
        // Where standard error is closed, the report is lost and the work goes on.
        let _ = writeln!(
            std::io::stderr(),
            "  GET {url}: {status}, {} bytes",
            body.len()
        );
    }
    match status {
        200..=299 => Ok(Some(body)),
        400 | 404 => Ok(None),
        _ => Err(Unanswered {
            status: Some(status),
            fail: not_ours(url, &status.to_string(), &body),
        }),
    }
}

fn not_ours(url: &str, status: &str, body: &[u8]) -> Fail {
    let said: String = String::from_utf8_lossy(body)
        .trim()
        .chars()
        .take(300)
        .collect();
    broken(format!("{url} answers {status}"))
        .tail(said.lines().map(str::to_owned).collect())
        .hint("cargo xtask status")
}
