//! The kinds of keys that `loopback make` makes.

use serde::Deserialize;

/// How a key is made, in the words of `loopback make`, in the order in which the keys
/// are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// A certificate authority.
    Ca,
    /// A timestamp authority.
    Timestamp,
    /// A TLS certificate of this machine.
    Tls,
    /// The users of Dex.
    Users,
    /// A key for Ed25519.
    Ed25519,
    /// A key for ECDSA.
    Ecdsa,
    /// A key of the certificate transparency log, in the form that TesseraCT reads.
    Ctlog,
}

impl KeyKind {
    /// The word that `loopback make` takes.
    pub fn name(self) -> &'static str {
        match self {
            KeyKind::Ca => "ca",
            KeyKind::Timestamp => "timestamp",
            KeyKind::Tls => "tls",
            KeyKind::Users => "users",
            KeyKind::Ed25519 => "ed25519",
            KeyKind::Ecdsa => "ecdsa",
            KeyKind::Ctlog => "ctlog",
        }
    }

    /// The ending of its public part, which is written last.
    pub fn ending(self) -> &'static str {
        match self {
            KeyKind::Ca | KeyKind::Timestamp | KeyKind::Tls => "pem",
            KeyKind::Users => "yml",
            KeyKind::Ed25519 | KeyKind::Ecdsa | KeyKind::Ctlog => "pub",
        }
    }

    /// What to type where its certificate ends soon; `None` where it has none.
    pub fn renewed_by(self) -> Option<&'static str> {
        match self {
            KeyKind::Ca => Some("cargo xtask install --renew ca"),
            KeyKind::Timestamp => Some("cargo xtask install --renew timestamp"),
            KeyKind::Tls => Some("cargo xtask start"),
            _ => None,
        }
    }
}
