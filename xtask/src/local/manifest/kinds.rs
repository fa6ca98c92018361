//! The role of a server in the trust material, and the API of its log.

use serde::Deserialize;

use crate::entry::Version;

/// What a server is in the trusted root and in the signing config, or else to those who
/// use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustRole {
    /// Who vouches for users; in the signing config only.
    OidcProvider,
    /// Who issues certificates.
    CertificateAuthority,
    /// Who issues timestamps.
    TimestampAuthority,
    /// The log of certificates; in the trusted root only.
    CtLog,
    /// The log of signatures.
    TransparencyLog,
    /// What brings both to clients; in neither.
    TufRepository,
    /// Where images and their signatures are kept; in neither.
    ImageRegistry,
}

/// How the size of a log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogApi {
    /// As C2SP static-ct-api says.
    Ct,
    /// As Rekor v1 says.
    RekorV1,
    /// As the tiles of Rekor v2 say.
    RekorV2,
}

impl LogApi {
    /// The version of Rekor that has this API.
    pub fn rekor(self) -> Option<Version> {
        match self {
            LogApi::Ct => None,
            LogApi::RekorV1 => Some(Version::V1),
            LogApi::RekorV2 => Some(Version::V2),
        }
    }
}
