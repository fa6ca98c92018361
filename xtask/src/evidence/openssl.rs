//! A certificate in the words of openssl.

use std::io::Write;
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::fail::broken;
use crate::format::certificate::Leaf;

/// What `openssl x509 -text` says.
pub(crate) fn openssl_text(leaf: &Leaf) -> Result<String> {
    let missing = "install openssl with the system's package manager, or leave --text out";
    let program = which::which("openssl")
        .map_err(|_| broken("openssl was not found on the PATH").hint(missing))?;
    let mut child = std::process::Command::new(program)
        .args(["x509", "-inform", "DER", "-noout", "-text"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("start openssl")?;
    child
        .stdin
        .take()
        .context("talk to openssl")?
        .write_all(leaf.der())
        .context("talk to openssl")?;
    let output = child.wait_with_output().context("listen to openssl")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr)
            .lines()
            .map(str::to_owned)
            .collect();
        return Err(broken("openssl cannot read the certificate")
            .tail(said)
            .into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
