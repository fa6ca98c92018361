//! Where signers go: the addresses of the servers that a signature needs, and the signing
//! config that names them, for each version of Rekor.

use anyhow::Result;
use serde_json::Value;

use super::servers::{ClusterServer, asked_to_sign};
use crate::entry::{Version, Versions};
use crate::trust::write::{Services, signing_config};

/// The version of Rekor that records where none is named. Where both run it is the first:
/// the other is there for those who verify to know it, before anybody signs with it.
pub(super) fn signs(rekor: Versions) -> Version {
    if rekor.has(Version::V1) {
        Version::V1
    } else {
        Version::V2
    }
}

/// The signing config for a version of Rekor: the file of those who name no version, or
/// one beside it.
pub(super) fn config_name(running: Versions, rekor: Version) -> &'static str {
    match rekor {
        _ if rekor == signs(running) => "signing_config.json",
        Version::V1 => "signing_config.rekor-v1.json",
        Version::V2 => "signing_config.rekor-v2.json",
    }
}

/// Where the servers are that are asked for a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignAddresses {
    pub(crate) fulcio: String,
    pub(crate) rekor: String,
    /// The timestamp authority, where this version of Rekor needs one.
    pub(crate) timestamp: Option<String>,
}

impl SignAddresses {
    /// Those for a version of Rekor, each as `at` says.
    pub(super) fn of(
        rekor: Version,
        at: impl Fn(&'static ClusterServer) -> Result<String>,
    ) -> Result<SignAddresses> {
        let mut all = asked_to_sign(rekor).into_iter();
        let mut next = || all.next().map(&at).transpose();
        Ok(SignAddresses {
            fulcio: next()?.unwrap_or_default(),
            rekor: next()?.unwrap_or_default(),
            timestamp: next()?,
        })
    }

    /// The signing config that names them.
    pub(super) fn config(&self, rekor: Version, issuer: &str, since: &str) -> Value {
        signing_config(&Services {
            fulcio: &self.fulcio,
            issuer,
            rekor: &self.rekor,
            rekor_version: match rekor {
                Version::V1 => 1,
                Version::V2 => 2,
            },
            timestamp: self.timestamp.as_deref(),
            since,
        })
    }
}
