//! Random bytes of the system.

use std::io::Read;

use anyhow::{Context, Result};

/// Random bytes.
///
/// # Errors
/// Where the system gives none.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("read random bytes")?;
    Ok(bytes)
}
