//! A secret goes to our own server and to nobody else: where a server has died, any user of
//! the machine may listen on its port.

use anyhow::Result;

use super::Local;
use super::manifest::TrustRole;
use super::platform;
use super::process::running;
use crate::fail::broken;

impl Local {
    /// Fails unless the process that was started for a server listens on the server's port.
    pub(super) fn require_own(&self, role: TrustRole) -> Result<()> {
        let server = self
            .manifest
            .trusted_as(role, self.settings.rekor.newest())?;
        let port = self.manifest.port(&server.port, &self.settings)?;
        let name = &server.name;
        if let Some(record) = running(&self.dir, name)? {
            if platform::listens(record.pid, port) {
                return Ok(());
            }
            return Err(broken(format!("{name} does not listen on port {port}"))
                .hint(format!("cargo xtask restart {name}"))
                .into());
        }
        let fail = broken(format!("{name} does not run")).hint("cargo xtask start");
        let Some(other) = platform::listener(port) else {
            return Err(fail.into());
        };
        let told = format!("on its port listens {other}, who is sent no secret");
        Err(fail.tail(vec![told]).into())
    }
}
