//! HTTP to the workshop's servers: bounded in time and size, without proxies.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::Result;
use ureq::Agent;

use crate::exec::interrupt;
use crate::exec::output_of;
use crate::fail::{Fail, broken};
use crate::plan::{Command, Word};
use crate::words;

/// Answers larger than this are not read: none of the servers sends as much.
const LARGEST: u64 = 16 * 1024 * 1024;

/// A proxy would see, and could change, what two local processes say to each
/// other, so none is used whatever the environment says.
static AGENT: LazyLock<Agent> = LazyLock::new(|| {
    Agent::new_with_config(
        Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .build(),
    )
});

/// A server as this machine reaches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `http://…` on loopback, or `https://…` where an ingress shows it.
    pub url: String,
    /// Whose certificates count for `https://…`, PEM, and nobody else's; without one
    /// those that the system trusts.
    pub ca: Option<PathBuf>,
    /// Whether each answer is told on standard error: what a reader asks for, and how
    /// little of a log it takes.
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
    ///
    /// # Errors
    /// As [`get`].
    pub fn get(&self, path: &str, within: Duration) -> Result<Vec<u8>, Fail> {
        self.find(path, within)?
            .ok_or_else(|| not_ours(&format!("{}{path}", self.url), "404", &[]))
    }

    /// The same where what is looked for may not be there.
    ///
    /// # Errors
    /// As [`find`].
    pub fn find(&self, path: &str, within: Duration) -> Result<Option<Vec<u8>>, Fail> {
        self.find_at_most(path, LARGEST, within)
    }

    /// The same of at most so many bytes.
    ///
    /// # Errors
    /// As [`find`].
    pub fn find_at_most(
        &self,
        path: &str,
        largest: u64,
        within: Duration,
    ) -> Result<Option<Vec<u8>>, Fail> {
        self.ask(path, None, largest, within)
    }

    /// The same of one of these media types.
    ///
    /// # Errors
    /// As [`find`].
    pub fn find_of_type(
        &self,
        path: &str,
        accept: &str,
        within: Duration,
    ) -> Result<Option<Vec<u8>>, Fail> {
        self.ask(path, Some(accept), LARGEST, within)
    }

    /// Puts something of this media type there, by TLS.
    ///
    /// # Errors
    /// Where it does not answer, or the answer is no 2xx.
    pub fn put(&self, path: &str, kind: &str, body: &[u8], within: Duration) -> Result<(), Fail> {
        let url = format!("{}{path}", self.url);
        let mut words = curl_words(&url, self.ca.as_deref(), within);
        let header = format!("Content-Type: {kind}");
        words.extend(words![
            "--request",
            "PUT",
            "--header",
            header,
            "--data-binary",
            "@-"
        ]);
        match curl(&url, words, Some(body))? {
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
    ) -> Result<Option<Vec<u8>>, Fail> {
        let url = format!("{}{path}", self.url);
        if self.url.starts_with("https://") {
            let mut words = curl_words(&url, self.ca.as_deref(), within);
            let accept = format!("Accept: {}", accept.unwrap_or("*/*"));
            let largest = largest.to_string();
            words.extend(words!["--max-filesize", largest, "--header", accept]);
            return found(&url, self.traced, curl(&url, words, None)?);
        }
        find_at_most(&url, self.traced, accept, largest, within)
    }
}

/// How curl is called, as the text does, but with the server's certificate verified.
/// TLS in this program, by rustls on ring, would add a sixth to the processor time of
/// its first build: 10.5 to 65 seconds on the machine where both were measured.
fn curl_words(url: &str, ca: Option<&Path>, within: Duration) -> Vec<Word> {
    let mut words = words![
        "curl",
        // A configuration of the user could switch the verification off.
        "--disable",
        "--silent",
        "--show-error",
        "--noproxy",
        "*",
        "--proto",
        "=https",
        "--max-time",
        within.as_secs().max(1).to_string(),
        "--write-out",
        "\n%{http_code}",
        url
    ];
    if let Some(ca) = ca {
        words.extend(words!["--cacert", ca]);
    }
    words
}

/// Status and body of what curl is answered.
fn curl(url: &str, words: Vec<Word>, input: Option<&[u8]>) -> Result<(u16, Vec<u8>), Fail> {
    let printed = output_of(&Command::new(words), input).map_err(|error| {
        let fail = Fail::from_error(&error);
        // What it says of a problem that is not known is below the sentence.
        if fail.tail.is_empty() || !fail.hints.is_empty() {
            return fail;
        }
        Fail {
            what: format!("no answer from {url}"),
            ..fail.hint("cargo xtask status")
        }
    })?;
    let (body, status) = printed.rsplit_once('\n').unwrap_or((&printed, ""));
    Ok((status.parse().unwrap_or(0), body.as_bytes().to_vec()))
}

/// Reads what is at an address.
///
/// # Errors
/// Where nothing answers, where the answer is no 2xx or is too large.
pub fn get(url: &str, within: Duration) -> Result<Vec<u8>, Fail> {
    find(url, within)?.ok_or_else(|| not_ours(url, "404", &[]))
}

/// The same where what is looked for may not be there: `None` for 400 and 404,
/// which is how servers say so.
///
/// # Errors
/// As [`get`].
pub fn find(url: &str, within: Duration) -> Result<Option<Vec<u8>>, Fail> {
    find_at_most(url, false, None, LARGEST, within)
}

fn find_at_most(
    url: &str,
    traced: bool,
    accept: Option<&str>,
    largest: u64,
    within: Duration,
) -> Result<Option<Vec<u8>>, Fail> {
    let mut ask = AGENT.get(url);
    if let Some(accept) = accept {
        ask = ask.header("accept", accept);
    }
    let ask = ask.config().timeout_global(Some(within)).build();
    let from = url.to_owned();
    found(
        url,
        traced,
        interrupt::interruptible(move || read(&from, largest, ask.call()))?,
    )
}

fn found(url: &str, traced: bool, (status, body): (u16, Vec<u8>)) -> Result<Option<Vec<u8>>, Fail> {
    if traced {
        // A closed output ends the telling, never the work.
        let _ = writeln!(
            std::io::stderr(),
            "  GET {url}: {status}, {} bytes",
            body.len()
        );
    }
    match status {
        200..=299 => Ok(Some(body)),
        400 | 404 => Ok(None),
        _ => Err(not_ours(url, &status.to_string(), &body)),
    }
}

/// Sends a form and reads the answer.
///
/// # Errors
/// As [`get`].
pub fn post_form(url: &str, form: &[(&str, &str)], within: Duration) -> Result<Vec<u8>, Fail> {
    let ask = AGENT
        .post(url)
        .config()
        .timeout_global(Some(within))
        .build();
    let text = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let form: Vec<(String, String)> = form.iter().map(text).collect();
    let from = url.to_owned();
    match interrupt::interruptible(move || read(&from, LARGEST, ask.send_form(form)))? {
        (200..=299, body) => Ok(body),
        (status, body) => Err(not_ours(url, &status.to_string(), &body)),
    }
}

/// Status and body of an answer.
fn read(
    url: &str,
    largest: u64,
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<(u16, Vec<u8>), Fail> {
    let unreachable = |error: &dyn std::fmt::Display| {
        broken(format!("no answer from {url}: {error}")).hint("cargo xtask status")
    };
    let answer = answer.map_err(|error| unreachable(&error))?;
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    answer
        .into_body()
        .into_reader()
        .take(largest + 1)
        .read_to_end(&mut body)
        .map_err(|error| unreachable(&error))?;
    if body.len() as u64 > largest {
        return Err(
            broken(format!("{url} answers with more than {}", size(largest)))
                .hint("that is no server of this workshop"),
        );
    }
    Ok((status, body))
}

/// A limit as a person says it.
fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * KIB;
    match bytes {
        _ if bytes.is_multiple_of(MIB) => format!("{} MiB", bytes / MIB),
        _ if bytes.is_multiple_of(KIB) => format!("{} KiB", bytes / KIB),
        _ => format!("{bytes} bytes"),
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
