//! Hash algorithms that signatures are made over, by the names that others give them.

use std::io::{ErrorKind, Read};

use ring::digest;
use x509_cert::der::asn1::ObjectIdentifier;

/// How much of a file is in memory at once while it is hashed.
const PART: usize = 128 * 1024;

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
    /// All of them.
    pub(crate) const ALL: [Hashing; 3] = [Hashing::Sha256, Hashing::Sha384, Hashing::Sha512];

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

    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Hashing::Sha256 => &digest::SHA256,
            Hashing::Sha384 => &digest::SHA384,
            Hashing::Sha512 => &digest::SHA512,
        }
    }

    /// The digest of a message.
    pub(crate) fn digest(self, message: &[u8]) -> Vec<u8> {
        digest::digest(self.algorithm(), message).as_ref().to_vec()
    }

    /// The digest of all that a reader yields, of which `see` is shown each part.
    pub(crate) fn digest_of(
        self,
        mut reader: impl Read,
        mut see: impl FnMut(&[u8]),
    ) -> std::io::Result<Vec<u8>> {
        let mut hash = digest::Context::new(self.algorithm());
        let mut part = vec![0; PART];
        loop {
            match reader.read(&mut part) {
                Ok(0) => return Ok(hash.finish().as_ref().to_vec()),
                Ok(length) => {
                    hash.update(&part[..length]);
                    see(&part[..length]);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The SHA-256 hash of these parts, one after the other: 32 bytes.
pub(crate) fn sha256_hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in parts {
        hash.update(part);
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash.finish().as_ref());
    bytes
}
