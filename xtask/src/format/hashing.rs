//! Hash algorithms that signatures are made over, by the names that others give them.

use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_cert::der::asn1::ObjectIdentifier;

/// A hash algorithm that signatures are made over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hashing {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hashing {
    /// The algorithm that an entry or a bundle names: `sha256`, `SHA2_256`.
    pub(crate) fn named(name: &str) -> Option<Hashing> {
        match name {
            "sha256" | "SHA2_256" => Some(Hashing::Sha256),
            "sha384" | "SHA2_384" => Some(Hashing::Sha384),
            "sha512" | "SHA2_512" => Some(Hashing::Sha512),
            _ => None,
        }
    }

    /// The algorithm that an OID names.
    pub(crate) fn of(oid: &ObjectIdentifier) -> Option<Hashing> {
        match oid.to_string().as_str() {
            "2.16.840.1.101.3.4.2.1" => Some(Hashing::Sha256),
            "2.16.840.1.101.3.4.2.2" => Some(Hashing::Sha384),
            "2.16.840.1.101.3.4.2.3" => Some(Hashing::Sha512),
            _ => None,
        }
    }

    /// As a digest is written: `sha256`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Hashing::Sha256 => "sha256",
            Hashing::Sha384 => "sha384",
            Hashing::Sha512 => "sha512",
        }
    }

    /// The digest of a message.
    pub(crate) fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Hashing::Sha256 => Sha256::digest(message).to_vec(),
            Hashing::Sha384 => Sha384::digest(message).to_vec(),
            Hashing::Sha512 => Sha512::digest(message).to_vec(),
        }
    }
}
