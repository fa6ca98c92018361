//! The TUF repository of this installation, which brings the trusted root and the signing
//! config to clients: publishing, and when its roles end (TUF specification, section 4).

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use super::Local;
use super::manifest::{ServerRow, TrustRole};
use crate::exec::output_of;
use crate::fail::Fail;
use crate::plan::{Command, Word};
use crate::preflight::Finding;
use crate::time;
use crate::trust::tuf_files::TufFiles;
use crate::words;

/// What is published: the name that clients ask for, and the file that it is.
const TARGETS: [(&str, &str); 2] = [
    ("trusted_root.json", "trust/trusted_root.json"),
    ("signing_config.v0.2.json", "trust/signing_config.json"),
];

/// The first root, with which a client begins.
const ANCHOR: &str = "trust/root.json";

/// The key of the root role. It is needed where the root changes, and can be kept on
/// another machine until then.
const ROOT_KEY: &str = "offline/tuf-root.key";

/// A role that ends within this is warned of. Each is renewed by then where commands run.
const SOON: Duration = Duration::from_secs(2 * 86400);

impl Local {
    /// The command that publishes, or does what its options say.
    pub(super) fn publish_command(&self, options: Vec<Word>) -> Result<Command> {
        let row = self.tuf_row()?;
        let key = self.key(row)?.context("servers.yml names no key of tuf")?;
        let mut words = words![self.build.program("tuf"), "publish"];
        words.extend(options);
        words.extend(words![
            "--dir",
            row.data
                .as_deref()
                .context("servers.yml names no data of tuf")?,
            "--anchor",
            ANCHOR,
            "--root-key",
            ROOT_KEY,
            "--key",
            format!("{}.key", key.stem)
        ]);
        let targets = TARGETS
            .iter()
            .map(|(name, file)| format!("{name}={file}").into());
        words.extend(targets);
        Ok(Command::new(words).dir(&self.dir))
    }

    fn tuf_row(&self) -> Result<&ServerRow> {
        self.manifest
            .trusted_as(TrustRole::TufRepository, self.settings.rekor.newest())
    }

    /// The role that ends first, and when; `None` where nothing is published.
    ///
    /// # Errors
    /// Where the repository is damaged.
    pub(super) fn publication_end(&self) -> Result<Option<(&'static str, SystemTime)>> {
        let data = self.tuf_row()?.data.as_deref().unwrap_or_default();
        let dir = self.dir.join(data);
        let files = TufFiles::read(&dir)?;
        files.map(|files| files.first_end()).transpose()
    }

    /// What to do where a role ends soon.
    pub(super) fn publication_warning(&self, server: &ServerRow) -> Option<String> {
        if server.trusts_as != Some(TrustRole::TufRepository) {
            return None;
        }
        let (role, end) = self.publication_end().ok()??;
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        (left < SOON).then(|| {
            format!(
                "its role {role} ends {}; renew it: cargo xtask start",
                time::format(end)
            )
        })
    }

    /// Checks whether clients are given what the keys say, and for how long.
    pub(super) fn is_published(&self) -> Result<Finding> {
        let finding = Finding::new("tuf", "clients are given the trusted root as it is");
        let check = self.publish_command(words!["--check"])?;
        if let Err(error) = output_of(&check, None) {
            let fail = Fail::from_error(&error);
            let said = fail.tail.last().cloned().unwrap_or(fail.what);
            let said = said.trim_start_matches("tuf: ");
            return Ok(finding.missing(said, "cargo xtask start"));
        }
        let end = self.publication_end()?;
        let until = end.map_or_else(String::new, |(_, end)| {
            format!("until {}", time::format(end))
        });
        Ok(finding.found(until))
    }
}
