//! HTTPS by curl, as the text does it.

use std::path::Path;
use std::time::Duration;

use crate::exec::{Command, Word, bytes_of};
use crate::fail::{Fail, broken};

/// How curl is called, as the text does, but with the server's certificate verified.
/// TLS in this program, by rustls on ring, would add a sixth to the processor time of
/// its first build: 10.5 to 65 seconds on the machine where both were measured.
pub(super) fn words(url: &str, ca: Option<&Path>, within: Duration) -> Vec<Word> {
    let mut words = crate::words![
        "curl",
        // A configuration of the user could switch the verification off.
        "--disable",
        "--silent",
        "--show-error",
        "--noproxy",
        "*",
        "--proto",
        "=https",
        "--proto-redir",
        "=https",
        "--max-time",
        within.as_secs().max(1).to_string(),
        "--write-out",
        "\n%{http_code}",
        url
    ];
    if let Some(ca) = ca {
        words.extend(crate::words!["--cacert", ca]);
    }
    words
}

/// Whether curl found something wrong with a certificate, or with the CA (its exit statuses
/// 60 and 77, which it names in its words).
fn is_about_certificate(fail: &Fail) -> bool {
    fail.says("curl: (60)") || fail.says("curl: (77)")
}

fn unknown_certificate(url: &str, ca: Option<&Path>) -> Fail {
    let host = url.trim_start_matches("https://");
    let host = host.split('/').next().unwrap_or(host);
    match ca {
        Some(ca) => broken(format!(
            "the certificate of {host} does not come from the CA in {}",
            ca.display()
        ))
        .hint("does another server answer there? cargo xtask status"),
        None => broken(format!(
            "the certificate of {host} does not come from a CA that this machine knows"
        ))
        .hint("name the file of its CA before the command: SSL_CERT_FILE=FILE cargo xtask …"),
    }
}

/// Status and body of what curl is answered.
pub(super) fn answer(
    url: &str,
    ca: Option<&Path>,
    words: Vec<Word>,
    input: Option<&[u8]>,
) -> Result<(u16, Vec<u8>), Fail> {
    let printed = bytes_of(&Command::new(words), input).map_err(|error| {
        let fail = Fail::from_error(&error);
        if is_about_certificate(&fail) {
            return unknown_certificate(url, ca).tail(fail.tail);
        }
        // No server of the workshop is asked under a certificate that anybody may have.
        if ca.is_none() && !fail.tail.is_empty() {
            let hint = "is that its name, and does it run? The workshop's registry is named by: cargo xtask env";
            return broken(format!("no answer from {url}")).tail(fail.tail).hint(hint);
        }
        // What it says of a problem that is not known is below the sentence.
        if fail.tail.is_empty() || !fail.hints.is_empty() {
            return fail;
        }
        Fail {
            what: format!("no answer from {url}"),
            ..fail.hint("cargo xtask status")
        }
    })?;
    Ok(parted(printed))
}

/// Status and body of what curl printed: a tile is not text, and may hold line breaks.
fn parted(mut printed: Vec<u8>) -> (u16, Vec<u8>) {
    let end = printed.iter().rposition(|byte| *byte == b'\n');
    let status = printed.split_off(end.unwrap_or(printed.len()));
    let status = String::from_utf8_lossy(&status);
    (status.trim().parse().unwrap_or(0), printed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_text_is_read_as_it_is() {
        let tile = [0xff, b'\n', 0x80, 0];
        let printed = crate::words!["printf", r"\377\n\200\000\n%s", "200"];
        let printed = bytes_of(&Command::new(printed), None).unwrap();
        assert_eq!(parted(printed), (200, tile.to_vec()));
        assert_eq!(parted(b"\n404".to_vec()), (404, Vec::new()));
        assert_eq!(parted(b"000".to_vec()), (0, b"000".to_vec()));
    }
}
