//! HTTP to servers on loopback: bounded in time and size, without proxies.

use std::io::Read;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::Result;
use ureq::Agent;

use crate::fail::{BROKEN, Fail, NOT_SO, broken, not_so};

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

/// Reads what is at an address.
///
/// # Errors
/// Exit status 1 where the server answers 404 or 400, 2 for every other status,
/// for silence and for an answer that is too large.
pub fn get(url: &str, within: Duration) -> Result<Vec<u8>, Fail> {
    let answer = AGENT
        .get(url)
        .config()
        .timeout_global(Some(within))
        .build()
        .call();
    read(url, answer)
}

/// Sends a form and reads the answer.
///
/// # Errors
/// As [`get`].
pub fn post_form(url: &str, form: &[(&str, &str)], within: Duration) -> Result<Vec<u8>, Fail> {
    let answer = AGENT
        .post(url)
        .config()
        .timeout_global(Some(within))
        .build()
        .send_form(form.iter().copied());
    read(url, answer)
}

fn read(
    url: &str,
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Vec<u8>, Fail> {
    let unreachable = |error: &dyn std::fmt::Display| {
        broken(format!("no answer from {url}: {error}")).hint("cargo xtask status")
    };
    let answer = answer.map_err(|error| unreachable(&error))?;
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    answer
        .into_body()
        .into_reader()
        .take(LARGEST + 1)
        .read_to_end(&mut body)
        .map_err(|error| unreachable(&error))?;
    if body.len() as u64 > LARGEST {
        return Err(broken(format!("{url} answers with more than 16 MiB"))
            .hint("that is no server of this workshop"));
    }
    if (200..300).contains(&status) {
        return Ok(body);
    }
    let said: String = String::from_utf8_lossy(&body)
        .trim()
        .chars()
        .take(300)
        .collect();
    let exit = if matches!(status, 400 | 404) {
        NOT_SO
    } else {
        BROKEN
    };
    Err(Fail {
        exit,
        ..not_so(format!("{url} answers {status}"))
    }
    .tail(said.lines().map(str::to_owned).collect()))
}
