//! Which entries of a log are listed.

use std::collections::BTreeSet;
use std::time::SystemTime;

use anyhow::Result;

use super::Listed;
use crate::entry::Version;
use crate::fail::broken;
use crate::proof::policy::Policy;
use crate::time;

/// Which entries are listed; what is not named may be anything.
#[derive(Default)]
pub(crate) struct Filter {
    /// Whose.
    pub(crate) policy: Policy,
    /// Of what.
    pub(crate) artifact: Option<ArtifactFilter>,
    /// Not older than this, RFC 3339 in UTC.
    pub(crate) since: Option<String>,
}

/// The entries of one artifact.
#[derive(Debug, Default)]
pub(crate) struct ArtifactFilter {
    /// Those that record one of these digests: `sha256:…`.
    pub(crate) digests: BTreeSet<String>,
    /// Those of its signatures, whose entries record the digest of a statement.
    pub(crate) entries: BTreeSet<(&'static str, u64)>,
}

impl ArtifactFilter {
    /// Adds the entry of a signature.
    pub(crate) fn add(&mut self, version: Version, index: u64) {
        self.entries.insert((version.name(), index));
    }

    fn holds(&self, listed: &Listed) -> bool {
        let version = listed.log.rekor().map(Version::name);
        let of_signature = version.is_some_and(|log| self.entries.contains(&(log, listed.index)));
        let named = listed.what.as_ref();
        of_signature || named.is_some_and(|what| self.digests.contains(what))
    }
}

impl Filter {
    /// Whether an entry is listed.
    pub(crate) fn holds(&self, listed: &Listed) -> bool {
        let Policy {
            identity, issuer, ..
        } = &self.policy;
        let is_whose = identity.as_ref().is_none_or(|expected| {
            let mut names = listed.identities.iter();
            names.any(|name| expected.holds(name))
        });
        let vouched = issuer.as_ref().is_none_or(|expected| {
            let issuer = listed.issuer.as_ref();
            issuer.is_some_and(|issuer| expected.holds(issuer))
        });
        let of_artifact = self.artifact.as_ref().is_none_or(|of| of.holds(listed));
        // Both are UTC in whole seconds, so that text compares as time does.
        let recent = self.since.as_ref().is_none_or(|since| {
            let time = listed.time.as_ref();
            time.is_some_and(|time| time >= since)
        });
        is_whose && vouched && of_artifact && recent
    }
}

/// A time as it is typed: RFC 3339, or how long ago: `1h 30m`.
pub(crate) fn since(typed: &str) -> Result<String> {
    let at = match humantime::parse_duration(typed) {
        Ok(ago) => SystemTime::now().checked_sub(ago),
        Err(_) => humantime::parse_rfc3339_weak(typed).ok(),
    };
    // No log is older, and no such time can be written.
    let at = at.filter(|at| *at >= SystemTime::UNIX_EPOCH);
    let at = at.ok_or_else(|| {
        broken(format!("{typed:?} is no time")).hint("2026-11-28T09:00:00Z, or how long ago: 1h")
    })?;
    Ok(time::format(at))
}
