//! HTTP on loopback, in this process.

use std::io::Read;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;
use ureq::typestate::WithBody;
use ureq::{Agent, RequestBuilder};

use super::{LARGEST, MOST_REDIRECTS, found, not_ours};
use crate::exec::interrupt;
use crate::fail::{Fail, broken};

/// What comes of a request.
type Answer = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

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

/// Reads what is at an address.
pub(crate) fn get(url: &str, within: Duration) -> Result<Vec<u8>, Fail> {
    find(url, within)?.ok_or_else(|| not_ours(url, "404", &[]))
}

/// Reads what may not be at an address: `None` for 400 and 404,
/// which is how servers say so.
pub(crate) fn find(url: &str, within: Duration) -> Result<Option<Vec<u8>>, Fail> {
    let answer = answer(url, None, LARGEST, within)?;
    Ok(found(url, false, answer)?)
}

/// Whether a server answers at an address, whatever it says.
pub(crate) fn speaks(url: &str, within: Duration) -> bool {
    answer(url, None, LARGEST, within).is_ok()
}

/// Status and body of what a server on loopback answers.
pub(super) fn answer(
    url: &str,
    accept: Option<&str>,
    largest: u64,
    within: Duration,
) -> Result<(u16, Vec<u8>), Fail> {
    let mut ask = AGENT.get(url);
    if let Some(accept) = accept {
        ask = ask.header("accept", accept);
    }
    // Only registries keep what they are asked for elsewhere.
    let redirects = accept.map_or(0, |_| MOST_REDIRECTS);
    let ask = ask.config().timeout_global(Some(within));
    let ask = ask.max_redirects(redirects).build();
    let from = url.to_owned();
    interrupt::interruptible(move || read(&from, largest, ask.call()))
}

/// Sends a form and reads the answer.
pub(crate) fn post_form(
    url: &str,
    form: &[(&str, &str)],
    within: Duration,
) -> Result<Vec<u8>, Fail> {
    let text = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let form: Vec<(String, String)> = form.iter().map(text).collect();
    post(url, within, |ask| ask.send_form(form))
}

/// Sends JSON and reads the answer.
pub(crate) fn post_json(url: &str, json: &Value, within: Duration) -> Result<Vec<u8>, Fail> {
    let json = json.to_string();
    post(url, within, |ask| {
        ask.header("content-type", "application/json").send(json)
    })
}

/// Sends something and reads the answer.
fn post(
    url: &str,
    within: Duration,
    send: impl FnOnce(RequestBuilder<WithBody>) -> Answer + Send + 'static,
) -> Result<Vec<u8>, Fail> {
    let ask = AGENT.post(url).config().timeout_global(Some(within));
    let (ask, from) = (ask.build(), url.to_owned());
    match interrupt::interruptible(move || read(&from, LARGEST, send(ask)))? {
        (200..=299, body) => Ok(body),
        (status, body) => Err(not_ours(url, &status.to_string(), &body)),
    }
}

/// Status and body of an answer.
fn read(url: &str, largest: u64, answer: Answer) -> Result<(u16, Vec<u8>), Fail> {
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
