//! Public keys, and what was signed with them.

use rustls_pki_types::alg_id;
use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier};
use x509_cert::der::{Decode, Encode};
use x509_cert::spki::SubjectPublicKeyInfoRef;

/// A public key of a kind that Sigstore's services and signers use.
#[derive(Debug, Clone)]
pub enum PublicKey {
    /// ECDSA over P-256, with SHA-256.
    P256(p256::ecdsa::VerifyingKey),
    /// ECDSA over P-384, with SHA-384.
    P384(p384::ecdsa::VerifyingKey),
    /// Ed25519.
    Ed25519(ed25519_dalek::VerifyingKey),
}

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
    pub fn named(name: &str) -> Option<Hashing> {
        match name {
            "sha256" | "SHA2_256" => Some(Hashing::Sha256),
            "sha384" | "SHA2_384" => Some(Hashing::Sha384),
            "sha512" | "SHA2_512" => Some(Hashing::Sha512),
            _ => None,
        }
    }

    /// The algorithm that an OID names.
    pub fn of(oid: &ObjectIdentifier) -> Option<Hashing> {
        match oid.to_string().as_str() {
            "2.16.840.1.101.3.4.2.1" => Some(Hashing::Sha256),
            "2.16.840.1.101.3.4.2.2" => Some(Hashing::Sha384),
            "2.16.840.1.101.3.4.2.3" => Some(Hashing::Sha512),
            _ => None,
        }
    }

    /// As a digest is written: `sha256`.
    pub fn name(self) -> &'static str {
        match self {
            Hashing::Sha256 => "sha256",
            Hashing::Sha384 => "sha384",
            Hashing::Sha512 => "sha512",
        }
    }

    /// The digest of a message.
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Hashing::Sha256 => Sha256::digest(message).to_vec(),
            Hashing::Sha384 => Sha384::digest(message).to_vec(),
            Hashing::Sha512 => Sha512::digest(message).to_vec(),
        }
    }
}

const WRONG: &str = "the signature is wrong";

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo (RFC 5280), DER.
    ///
    /// # Errors
    /// Where it is none, or of a kind that this program does not read.
    pub fn from_der(der: &[u8]) -> Result<PublicKey, String> {
        let spki = SubjectPublicKeyInfoRef::from_der(der)
            .map_err(|error| format!("that is no public key: {error}"))?;
        let point = spki
            .subject_public_key
            .as_bytes()
            .ok_or("a public key that ends within a byte")?;
        let algorithm = spki.algorithm.to_der().map_err(|error| error.to_string())?;
        // webpki compares algorithms without the sequence around them.
        let inside = AnyRef::from_der(&algorithm).map_err(|error| error.to_string())?;
        PublicKey::from_point(inside.value(), point)
            .map_err(|why| format!("{why} ({})", spki.algorithm.oid))
    }

    /// Reads the point of a key, of an algorithm as webpki writes it: the content of
    /// an AlgorithmIdentifier, DER.
    ///
    /// # Errors
    /// As [`PublicKey::from_der`].
    pub fn from_point(algorithm: &[u8], point: &[u8]) -> Result<PublicKey, String> {
        let read = if algorithm == alg_id::ECDSA_P256.as_ref() {
            p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map(PublicKey::P256)
        } else if algorithm == alg_id::ECDSA_P384.as_ref() {
            p384::ecdsa::VerifyingKey::from_sec1_bytes(point).map(PublicKey::P384)
        } else if algorithm == alg_id::ED25519.as_ref() {
            let bytes = point
                .try_into()
                .map_err(|_| "an Ed25519 key has 32 bytes")?;
            ed25519_dalek::VerifyingKey::from_bytes(bytes).map(PublicKey::Ed25519)
        } else {
            return Err("this program reads no keys of that kind".into());
        };
        read.map_err(|_| "the public key is no point of its curve".to_owned())
    }

    /// The key in a certificate.
    ///
    /// # Errors
    /// As [`PublicKey::from_der`].
    pub fn of(certificate: &x509_cert::Certificate) -> Result<PublicKey, String> {
        let spki = &certificate.tbs_certificate.subject_public_key_info;
        let der = spki.to_der().map_err(|error| error.to_string())?;
        PublicKey::from_der(&der)
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            PublicKey::P256(_) => "ECDSA P-256",
            PublicKey::P384(_) => "ECDSA P-384",
            PublicKey::Ed25519(_) => "Ed25519",
        }
    }

    /// The hash algorithm that belongs to the key, where it needs one.
    pub fn hashing(&self) -> Hashing {
        match self {
            PublicKey::P384(_) => Hashing::Sha384,
            _ => Hashing::Sha256,
        }
    }

    /// Checks a signature of a message: DER for ECDSA, 64 bytes for Ed25519.
    ///
    /// # Errors
    /// Where it was not made with this key over this message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), String> {
        match self {
            PublicKey::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .and_then(|signature| key.verify_strict(message, &signature))
                .map_err(|_| WRONG.to_owned()),
            _ => self.verify_digest(&self.hashing().digest(message), signature),
        }
    }

    /// Checks a signature of a message of which only the digest is known.
    ///
    /// # Errors
    /// Where it was not made with this key over such a message; always with an
    /// Ed25519 key, which signs messages and not digests.
    pub fn verify_digest(&self, digest: &[u8], signature: &[u8]) -> Result<(), String> {
        use p256::ecdsa::signature::hazmat::PrehashVerifier;
        match self {
            PublicKey::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .and_then(|signature| key.verify_prehash(digest, &signature)),
            PublicKey::P384(key) => p384::ecdsa::Signature::from_der(signature)
                .and_then(|signature| key.verify_prehash(digest, &signature)),
            PublicKey::Ed25519(_) => {
                return Err("an Ed25519 key signs messages, not digests".into());
            }
        }
        .map_err(|_| WRONG.to_owned())
    }
}
