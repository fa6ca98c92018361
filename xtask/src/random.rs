//! Random bytes of the system.

use anyhow::{Result, anyhow};
use ring::rand::{SecureRandom, SystemRandom};

/// Random bytes; fails where the system gives none.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| anyhow!("this machine gives no random bytes"))?;
    Ok(bytes)
}
