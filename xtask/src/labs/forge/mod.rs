//! What an attacker makes with stolen keys. For the labs only: keys are read only
//! below the installation that a lab made for itself, and any other path is refused.

mod bundle;
mod certificate;
mod promise;
mod timestamp;
mod token;

use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Session;
use crate::fail::broken;
use crate::format::private_key::PrivateKey;
use crate::state;

pub(crate) use bundle::{SignedFile, bundle, restamp};
pub(crate) use certificate::{Draft, StolenAuthority, Wish};
pub(crate) use promise::{promised_by_nobody, promised_by_the_log, promised_without_an_entry};
pub(crate) use timestamp::Stamp;
pub(crate) use token::IdToken;

/// A key of the lab's own installation, by the name of its file.
fn stolen(session: &Session<'_>, name: &str) -> Result<PrivateKey> {
    let path = session.installation().join("keys").join(name);
    let pem = state::read(&fenced(&session.file("state"), &path)?)?
        .with_context(|| format!("there is no key {name} to steal"))?;
    PrivateKey::from_pem(&pem)
}

/// The path, where it leads below a directory, links followed.
fn fenced(dir: &Path, path: &Path) -> Result<std::path::PathBuf> {
    let named = |path: &Path| {
        path.canonicalize()
            .with_context(|| format!("find {}", path.display()))
    };
    let real = named(path)?;
    if !real.starts_with(named(dir)?) {
        return Err(broken(format!("{} is no key of a lab", path.display())).into());
    }
    Ok(real)
}

/// A file of trust material that `env` names, as JSON.
pub(crate) fn trust(session: &Session<'_>, variable: &str) -> Result<Value> {
    let path = session.env(variable)?;
    state::read_json(Path::new(path))?.with_context(|| format!("there is no {path}"))
}

/// When the first authority of a kind ceases to count, in seconds since 1970, as the
/// trusted root has it.
pub(crate) fn end_of_the_first(session: &Session<'_>, kind: &str) -> Result<u64> {
    let root = trust(session, "WORKSHOP_TRUSTED_ROOT")?;
    let end = root[kind][0]["validFor"]["end"].as_str();
    let end = humantime::parse_rfc3339(end.context("the period of the authority has no end")?)?;
    Ok(end.duration_since(SystemTime::UNIX_EPOCH)?.as_secs())
}

/// The address of the CT log.
pub(crate) fn ct_log(session: &Session<'_>) -> Result<String> {
    let root = trust(session, "WORKSHOP_TRUSTED_ROOT")?;
    let address = root["ctlogs"][0]["baseUrl"].as_str();
    Ok(format!(
        "{}/ct/v1",
        address.context("the trusted root names no CT log")?
    ))
}

/// Sends a file as it is, shows how, and returns the answer.
fn post(
    session: &Session<'_>,
    kind: &str,
    name: &str,
    content: &[u8],
    url: &str,
) -> Result<Vec<u8>> {
    let ask = session.file(&format!("{name}.request"));
    let answer = session.file(&format!("{name}.answer"));
    state::write(&ask, content, 0o600)?;
    let kind = format!("Content-Type: {kind}");
    let data = format!("@{}", ask.display());
    let out = answer.to_string_lossy();
    session.curl(&[
        "--header",
        &kind,
        "--data-binary",
        &data,
        "--output",
        &out,
        url,
    ])?;
    state::read(&answer)?.with_context(|| format!("{url} answered nothing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_elsewhere_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (inside, outside) = (dir.path().join("lab"), dir.path().join("other.key"));
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(&outside, "a key").unwrap();
        std::fs::write(inside.join("own.key"), "a key").unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("link.key")).unwrap();
        assert!(fenced(&inside, &inside.join("own.key")).is_ok());
        for path in ["link.key", "../other.key", "none.key"] {
            assert!(fenced(&inside, &inside.join(path)).is_err(), "{path}");
        }
    }
}
