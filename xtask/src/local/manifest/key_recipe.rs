//! The kinds of keys that `loopback make` makes.

use serde::Deserialize;

/// How a key is made, in the words of `loopback make`, in the order in which the keys
/// are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyRecipe {
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

impl KeyRecipe {
    /// The word that `loopback make` takes.
    pub fn name(self) -> &'static str {
        match self {
            KeyRecipe::Ca => "ca",
            KeyRecipe::Timestamp => "timestamp",
            KeyRecipe::Tls => "tls",
            KeyRecipe::Users => "users",
            KeyRecipe::Ed25519 => "ed25519",
            KeyRecipe::Ecdsa => "ecdsa",
            KeyRecipe::Ctlog => "ctlog",
        }
    }

    /// The ending of its public part, which is written last.
    pub fn ending(self) -> &'static str {
        match self {
            KeyRecipe::Ca | KeyRecipe::Timestamp | KeyRecipe::Tls => "pem",
            KeyRecipe::Users => "yml",
            KeyRecipe::Ed25519 | KeyRecipe::Ecdsa | KeyRecipe::Ctlog => "pub",
        }
    }

    /// What to type where its certificate ends soon; `None` where it has none.
    pub fn renewed_by(self) -> Option<&'static str> {
        match self {
            KeyRecipe::Ca => Some("cargo xtask rotate fulcio"),
            KeyRecipe::Timestamp => Some("cargo xtask rotate timestamp"),
            KeyRecipe::Tls => Some("cargo xtask start"),
            _ => None,
        }
    }
}
